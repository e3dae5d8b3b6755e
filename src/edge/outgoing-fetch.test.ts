import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { type Context, context, createContextKey, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api';
import { StackContextManager } from '@opentelemetry/sdk-trace-web';
import type { ReadableSpan } from '../pipeline/span.js';
import { createProvider } from '../sdk/tracer-provider.js';
import { createPropagation } from '../spa/propagation.js';
import { createOutgoingFetch } from './outgoing-fetch.js';

type Fetch = typeof globalThis.fetch;

const INVOCATION = createContextKey('the invocation');
const SUPPRESS_TRACING = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

beforeEach(() => context.setGlobalContextManager(new StackContextManager().enable()));
afterEach(() => context.disable());

/** An invocation, and a world whose `fetch` answers as told. */
function setUp(answer: Fetch = async () => new Response('ok')) {
  const spans: ReadableSpan[] = [];
  const exceptions: unknown[] = [];
  const calls: { self: unknown; args: Parameters<Fetch>; active: Span | undefined }[] = [];
  const processor = {
    onStart() {},
    onEnd: (span: unknown) => void spans.push(span as ReadableSpan),
    forceFlush: async () => {},
    shutdown: async () => {},
  };
  const sampler = { shouldSample: () => ({ decision: 2 as const }) };
  const tracer = createProvider({ resource: undefined, sampler, spanProcessors: [processor] }).getTracer(
    'test',
  );
  const server = tracer.startSpan('GET /', {}, ROOT_CONTEXT);
  const invocation = { tracer, propagation: createPropagation(['http://a.example'], '') };
  const inside = trace.setSpan(ROOT_CONTEXT.setValue(INVOCATION, invocation), server);
  const outgoing = createOutgoingFetch({
    invocationOf: (of: Context) => of.getValue(INVOCATION) as typeof invocation | undefined,
    guard(task) {
      try {
        return task();
      } catch (error) {
        exceptions.push(error);
        return undefined;
      }
    },
  });
  async function fetch(this: unknown, ...args: Parameters<Fetch>): Promise<Response> {
    calls.push({ self: this, args, active: trace.getActiveSpan() });
    return answer(...args);
  }
  const scope = { fetch: fetch as Fetch };
  const run = (...args: Parameters<Fetch>) => context.with(inside, () => scope.fetch(...args));
  return {
    spans,
    exceptions,
    calls,
    server,
    inside,
    invocation,
    outgoing,
    scope,
    run,
    original: scope.fetch,
  };
}

/** The headers of the call that was made last. */
const sent = (calls: { args: Parameters<Fetch> }[]): Headers => {
  const [input, init] = calls.at(-1)?.args ?? [];
  return new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
};

test('outgoing fetch: a client span, child of what is active', async () => {
  const { spans, calls, server, outgoing, scope, run } = setUp();
  outgoing.install(scope);
  const response = await run('http://user:secret@a.example:8080/path?q=1#part', { method: 'post' });
  assert.equal(await response.text(), 'ok');
  const [span] = spans;
  assert.equal(span?.name, 'POST');
  assert.equal(span?.kind, 2);
  assert.equal(span?.parentSpanContext?.spanId, server.spanContext().spanId);
  assert.equal(span?.status.code, 0);
  assert.deepEqual(span?.attributes, {
    'http.request.method': 'POST',
    'http.request.method_original': 'post',
    'url.full': 'http://a.example:8080/path?q=1',
    'server.address': 'a.example',
    'server.port': 8080,
    'http.response.status_code': 200,
  });
  assert.equal(
    calls[0]?.active?.spanContext().spanId,
    span?.spanContext().spanId,
    'what it starts is below it',
  );
});

test('outgoing fetch: failures, and what is none', async () => {
  const refused = Object.assign(new TypeError('fetch failed'), { cause: 'ECONNREFUSED' });
  const abort = new AbortController();
  const timeout = AbortSignal.abort(new DOMException('late', 'TimeoutError'));
  const reject = (error: unknown) => async (): Promise<never> => {
    throw error;
  };
  const cases: [Fetch, RequestInit, object, number][] = [
    [
      async () => new Response(null, { status: 404 }),
      {},
      { 'http.response.status_code': 404, 'error.type': '404' },
      2,
    ],
    [async () => new Response(null, { status: 302 }), {}, { 'http.response.status_code': 302 }, 0],
    [reject(refused), {}, { 'error.type': 'TypeError' }, 2],
    [reject(undefined), {}, { 'error.type': '_OTHER' }, 2],
    [reject(new DOMException('', 'AbortError')), { signal: abort.signal }, { 'spandrel.aborted': true }, 0],
    [reject(timeout.reason), { signal: timeout }, { 'error.type': 'TimeoutError' }, 2],
  ];
  abort.abort();
  for (const [answer, init, expected, status] of cases) {
    const { spans, outgoing, scope, run } = setUp(answer);
    outgoing.install(scope);
    await run('http://a.example/', init).catch(() => {});
    assert.deepEqual(spans[0]?.attributes, {
      'http.request.method': 'GET',
      'url.full': 'http://a.example/',
      'server.address': 'a.example',
      'server.port': 80,
      ...expected,
    });
    assert.equal(spans[0]?.status.code, status);
  }
});

test('outgoing fetch: the caller gets the very same, and a rejection once', async () => {
  const response = new Response('mine');
  const good = setUp(async () => response);
  good.outgoing.install(good.scope);
  assert.equal(await good.run('http://a.example/'), response);
  assert.equal(response.bodyUsed, false);

  const error = new Error('refused');
  const bad = setUp(async () => {
    throw error;
  });
  bad.outgoing.install(bad.scope);
  const unhandled: unknown[] = [];
  const listen = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', listen);
  await assert.rejects(bad.run('http://a.example/'), (thrown) => thrown === error);
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', listen);
  assert.deepEqual(unhandled, []);

  const throwing = setUp();
  const scope = {
    fetch: (() => {
      throw error;
    }) as Fetch,
  };
  throwing.outgoing.install(scope);
  assert.throws(
    () => context.with(throwing.inside, () => scope.fetch('http://a.example/')),
    (thrown) => thrown === error,
  );
  assert.equal(throwing.spans[0]?.attributes['error.type'], 'Error');
});

test('outgoing fetch: traceparent, in whatever shape headers are given, and nothing of the caller’s changed', async () => {
  const body = 'body';
  const shapes: [string, () => Parameters<Fetch>][] = [
    ['none', () => ['http://a.example/']],
    ['URL', () => [new URL('http://a.example/')]],
    ['object', () => ['http://a.example/', { method: 'PUT', body, headers: { 'x-a': '1' } }]],
    ['list', () => ['http://a.example/', { headers: [['x-a', '1']] }]],
    ['Headers', () => ['http://a.example/', { headers: new Headers({ 'x-a': '1' }) }]],
    ['Request', () => [new Request('http://a.example/', { headers: { 'x-a': '1' } })]],
    ['Request and init', () => [new Request('http://a.example/'), { headers: { 'x-a': '1' } }]],
    [
      'Request as init',
      () => ['http://a.example/', new Request('http://b.example/', { headers: { 'x-a': '1' } })],
    ],
    ['frozen', () => ['http://a.example/', Object.freeze({ headers: Object.freeze({ 'x-a': '1' }) })]],
  ];
  for (const [name, make] of shapes) {
    const { spans, calls, exceptions, outgoing, scope, run } = setUp();
    outgoing.install(scope);
    const args = make();
    await run(...args);
    const spanContext = spans[0]?.spanContext();
    const headers = sent(calls);
    assert.equal(headers.get('traceparent'), `00-${spanContext?.traceId}-${spanContext?.spanId}-01`, name);
    if (!['none', 'URL'].includes(name)) assert.equal(headers.get('x-a'), '1', name);
    for (const given of args) {
      const own = given as { headers?: HeadersInit };
      assert.equal(new Headers(own.headers).has('traceparent'), false, name);
    }
    assert.deepEqual(exceptions, []);
  }
});

test('outgoing fetch: a streamed body and its options go on', async () => {
  const { calls, outgoing, scope, run } = setUp();
  outgoing.install(scope);
  const stream = new ReadableStream();
  const init = { method: 'POST', body: stream, duplex: 'half', redirect: 'manual', cf: { cacheTtl: 5 } };
  await run('http://a.example/', init as RequestInit);
  const { headers, ...passed } = calls[0]?.args[1] ?? {};
  assert.deepEqual(passed, init);
  assert.equal(stream.locked, false);
  assert.ok(new Headers(headers).has('traceparent'));
});

test('outgoing fetch: no traceparent to where it is not allowed, nor over the caller’s own', async () => {
  const { calls, spans, outgoing, scope, run } = setUp();
  outgoing.install(scope);
  const own = { headers: { TraceParent: 'own' } };
  await run('http://a.example/', own);
  assert.deepEqual(calls[0]?.args[1], { headers: { TraceParent: 'own' } }, 'as it was');
  await run(new Request('http://a.example/', own));
  assert.equal(sent(calls).get('traceparent'), 'own');
  await run('http://b.example/');
  assert.equal(sent(calls).get('traceparent'), null);
  assert.equal(spans.length, 3);
});

test('outgoing fetch: outside an invocation and where tracing is suppressed, straight through', async () => {
  const { calls, spans, server, inside, outgoing, scope } = setUp();
  outgoing.install(scope);
  const init = {};
  await scope.fetch('http://a.example/', init);
  await context.with(inside.setValue(SUPPRESS_TRACING, true), () => scope.fetch('http://a.example/', init));
  assert.equal(spans.length, 0);
  assert.equal(calls.length, 2);
  for (const { args, self } of calls) {
    assert.equal(args[1], init);
    assert.equal(self, scope);
  }
  assert.equal(calls[1]?.active, server, 'no span of ours in between');
});

test('outgoing fetch: what is no request over HTTP is the runtime’s own business', async () => {
  const { calls, spans, exceptions, outgoing, scope, run } = setUp();
  outgoing.install(scope);
  const missing = [] as unknown as Parameters<Fetch>;
  for (const args of [
    ['data:text/plain,secret'],
    ['http://'],
    ['/relative'],
    missing,
  ] as Parameters<Fetch>[]) {
    await run(...args);
    assert.deepEqual(calls.at(-1)?.args, args);
  }
  assert.deepEqual([spans, exceptions], [[], []]);
});

test('outgoing fetch: ours failing is not the caller’s trouble', async () => {
  const { calls, exceptions, invocation, outgoing, scope, run } = setUp();
  outgoing.install(scope);
  invocation.tracer.startSpan = () => {
    throw new Error('ours');
  };
  assert.equal((await run('http://a.example/')).status, 200);
  assert.equal(calls.length, 1);
  assert.equal(exceptions.length, 1);
});

test('outgoing fetch: installed once, taken back, and whoever wrapped it since stays', async () => {
  const { spans, outgoing, scope, run, original } = setUp();
  const stop = outgoing.install(scope);
  assert.equal((scope.fetch as { __original?: Fetch }).__original, original);
  assert.equal(outgoing.install(scope), stop);
  await run('http://a.example/');
  assert.equal(spans.length, 1, 'one span, not two');
  stop();
  assert.equal(scope.fetch, original);

  const again = outgoing.install(scope);
  await run('http://a.example/');
  assert.equal(spans.length, 2, 'installed again');
  const ours = scope.fetch;
  scope.fetch = (...args) => ours(...args);
  const theirs = scope.fetch;
  again();
  assert.equal(scope.fetch, theirs);
  await run('http://a.example/');
  assert.equal(spans.length, 2, 'and out of it');
});

test('trace fetch: a function, with its parent given', async () => {
  const { spans, calls, server, inside, outgoing, original } = setUp();
  const traced = outgoing.traceFetch(original, inside);
  await traced('http://a.example/');
  assert.equal(spans[0]?.parentSpanContext?.spanId, server.spanContext().spanId);
  assert.ok(sent(calls).has('traceparent'));
  await outgoing.traceFetch(original)('http://a.example/');
  assert.equal(spans.length, 1, 'no parent given, none active');
});

/** Workers' own objects are in the conformance suite. Tried here: the object itself, one of a context, a frozen one. */
test('trace fetch: a binding, which stays itself in all else', async () => {
  const { spans, inside, outgoing } = setUp();
  class Binding {
    readonly #name = 'api';
    // As a stub, which takes any name for a method of the other side.
    nested: unknown = Object.assign(() => 'nested', {
      bind: () => assert.fail('a method of the other side'),
    });
    async fetch(_input: RequestInfo | URL): Promise<Response> {
      return new Response(this.#name);
    }
    add(a: number, b: number): number {
      return this.#name.length + a + b;
    }
    get name(): string {
      return this.#name;
    }
  }
  const frozen = Object.freeze(new Binding());
  const binding = new Binding();
  const ofContext = outgoing.traceFetch(binding, inside);
  assert.equal(Object.hasOwn(binding, 'fetch'), false, 'a context is of one request, a binding of all');
  for (const traced of [ofContext, outgoing.traceFetch(frozen, inside), outgoing.traceFetch(frozen)]) {
    await context.with(inside, async () => {
      assert.equal(await (await traced.fetch('http://a.example/')).text(), 'api');
    });
    assert.equal(spans.splice(0).length, 1);
    assert.equal(traced.add(1, 2), 6);
    assert.equal(traced.name, 'api');
    assert.equal(traced.nested, binding.nested === traced.nested ? binding.nested : frozen.nested);
    assert.ok(traced instanceof Binding);
  }
  assert.equal(outgoing.traceFetch(binding), binding);
  assert.equal(outgoing.traceFetch(binding), binding);
  await context.with(inside, () => binding.fetch('http://a.example/'));
  assert.equal(spans.length, 1, 'and once');
  assert.deepEqual(Object.keys(binding), ['nested']);
});
