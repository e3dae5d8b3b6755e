import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpanKind, trace } from '@opentelemetry/api';
import { memoryStore, TestExecutionContext } from '../testing/edge.js';
import { until } from '../testing/platform.js';
import { instrument } from './instrument.js';
import type { EdgeOptions } from './options.js';
import { contextOf } from './tracing.js';

const TRACE_ID = '12345678901234567890123456789012';
const SPAN_ID = '1234567890123456';
const URL_TEXT = 'https://shop.example/cart/7?user=ann';

type Handle = (request: Request, env: unknown, ctx: TestExecutionContext) => unknown;

/** One request to a Workers module, until all of it is over. */
async function play(handle: Handle, options: Partial<EdgeOptions> = {}, request = new Request(URL_TEXT)) {
  const store = memoryStore();
  const ctx = new TestExecutionContext();
  const worker = instrument({ fetch: handle }, { service: 'shop', destination: store, ...options });
  const answer = (await worker.fetch(request, {}, ctx)) as Response;
  const text = await answer?.text?.();
  await ctx.settled();
  return { store, ctx, answer, text };
}

const pause = () => new Promise((resolve) => setImmediate(resolve));

test('instrument: a request becomes a server span, stored when it is over', async () => {
  const { store, text } = await play(() => new Response('hello', { status: 201 }));
  assert.equal(text, 'hello');
  const span = store.span('GET');
  assert.equal(span.kind, SpanKind.SERVER + 1);
  assert.equal(span.attributes['http.response.status_code'], 201);
  assert.equal(span.attributes['url.path'], '/cart/7');
  assert.equal(span.attributes['url.query'], 'user=REDACTED');
  assert.equal(span.status?.code ?? 0, 0);
  assert.equal(span.scope, 'spandrel');
  assert.equal(span.resource['service.name'], 'shop');
  assert.equal(span.resource['telemetry.sdk.name'], 'spandrel');
  assert.equal(span.resource['process.runtime.name'], 'nodejs');
  assert.equal(store.openCount, 0, 'nothing is left open');
  assert.ok(!process.getActiveResourcesInfo().includes('Timeout'), 'no timer outlives it');
});

test('instrument: spans of the API are its children, across awaits', async () => {
  const { store } = await play(async () => {
    const tracer = trace.getTracer('app', '1.2.3');
    await pause();
    const text = await tracer.startActiveSpan('outer', async (outer) => {
      await pause();
      const inner = tracer.startSpan('inner');
      await pause();
      inner.end();
      outer.end();
      return 'done';
    });
    return new Response(text);
  });
  const server = store.span('GET');
  assert.equal(store.span('outer').parentSpanId, server.spanId);
  assert.equal(store.span('inner').parentSpanId, store.span('outer').spanId);
  assert.equal(store.span('inner').traceId, server.traceId);
  assert.equal(store.span('inner').scope, 'app');
  assert.equal(store.objects.length, 1, 'one object for one request');
});

test('instrument: a root span is one of its own trace, and still of this request', async () => {
  const { store } = await play(() => {
    trace.getTracer('app').startSpan('job', { root: true }).end();
    return new Response();
  });
  assert.notEqual(store.span('job').traceId, store.span('GET').traceId);
  assert.equal(store.span('job').parentSpanId, undefined);
});

test('instrument: the context of a request is there for those who ask by the request', async () => {
  const request = new Request(URL_TEXT);
  const { store } = await play(
    async () => {
      await pause();
      trace.getTracer('app').startSpan('explicit', {}, contextOf(request)).end();
      return new Response();
    },
    {},
    request,
  );
  assert.equal(store.span('explicit').parentSpanId, store.span('GET').spanId);
  assert.equal(trace.getSpan(contextOf(new Request(URL_TEXT))), undefined, 'of another request');
});

test('instrument: a span outside of any request is not recorded', async () => {
  await play(() => new Response());
  assert.equal(trace.getTracer('app').startSpan('outside').isRecording(), false);
});

test('instrument: a span that begins when all is over is not recorded, and its trace goes on', async () => {
  const request = new Request(URL_TEXT);
  const { store } = await play(() => new Response(), {}, request);
  const late = trace.getTracer('app').startSpan('late', {}, contextOf(request));
  assert.equal(late.isRecording(), false);
  assert.equal(late.spanContext().traceId, store.span('GET').traceId);
});

test('instrument: the caller’s trace goes on, with its trace state and flags', async () => {
  const headers = { traceparent: `00-${TRACE_ID}-${SPAN_ID}-03`, tracestate: 'a=1, b=2' };
  let seen: unknown;
  const { store } = await play(
    () => {
      seen = trace.getActiveSpan()?.spanContext();
      return new Response();
    },
    {},
    new Request(URL_TEXT, { headers }),
  );
  const span = store.span('GET');
  assert.equal(span.traceId, TRACE_ID);
  assert.equal(span.parentSpanId, SPAN_ID);
  assert.equal(span.traceState, 'a=1,b=2');
  assert.equal((seen as { traceFlags: number }).traceFlags, 3);
});

test('instrument: what the caller does not keep is not kept, and goes on all the same', async () => {
  const headers = { traceparent: `00-${TRACE_ID}-${SPAN_ID}-00` };
  let seen: { traceId: string; traceFlags: number } | undefined;
  const { store, ctx } = await play(
    () => {
      seen = trace.getActiveSpan()?.spanContext();
      const job = trace.getTracer('app').startSpan('job', { root: true });
      assert.equal(job.isRecording(), false, 'an invocation is kept whole or not at all');
      return new Response();
    },
    {},
    new Request(URL_TEXT, { headers }),
  );
  assert.deepEqual(store.spans, []);
  assert.equal(seen?.traceId, TRACE_ID);
  assert.equal(seen?.traceFlags, 0);
  assert.equal(ctx.count, 0, 'nothing to wait for');
});

test('instrument: a caller who is not trusted is linked to, in a trace of our own', async () => {
  const headers = { traceparent: `00-${TRACE_ID}-${SPAN_ID}-00`, tracestate: 'a=1' };
  const request = () => new Request(URL_TEXT, { headers });
  for (const trustTraceparent of [false, () => false, () => Promise.resolve(true) as never]) {
    const { store } = await play(() => new Response(), { trustTraceparent }, request());
    const span = store.span('GET');
    assert.notEqual(span.traceId, TRACE_ID);
    assert.equal(span.parentSpanId, undefined);
    assert.deepEqual(
      span.links.map(({ traceId, spanId, traceState }) => [traceId, spanId, traceState]),
      [[TRACE_ID, SPAN_ID, 'a=1']],
    );
  }
  const { store } = await play(
    () => new Response(),
    { trustTraceparent: ({ url }) => url === URL_TEXT },
    new Request(URL_TEXT, { headers: { traceparent: `00-${TRACE_ID}-${SPAN_ID}-01` } }),
  );
  assert.equal(store.span('GET').traceId, TRACE_ID);
});

test('instrument: the share that is kept says its threshold, and leaves nothing of the others', async () => {
  let kept = 0;
  for (let turn = 0; turn < 60; turn++) {
    const { store } = await play(() => new Response(), { sampleRate: 0.5 });
    for (const span of store.spans) {
      kept++;
      assert.equal(span.traceState, 'ot=th:8');
      assert.equal(span.attributes['spandrel.sampling.probability'], 0.5);
      assert.ok(span.traceId.slice(-14) >= '8');
    }
  }
  // Outside of this once in 10^12 runs.
  assert.ok(kept > 2 && kept < 58, `${kept} of 60`);
  assert.deepEqual((await play(() => new Response(), { sampleRate: 0 })).store.spans, []);
});

test('instrument: a route names the span, from the option or from the handler', async () => {
  const routeOf = ({ url }: Request, { status }: Response) =>
    `${new URL(url).pathname.slice(0, 5)}/:id ${status}`;
  const named = await play(() => new Response(), { routeOf });
  assert.equal(named.store.span('GET /cart/:id 200').attributes['http.route'], '/cart/:id 200');
  const own = await play(() => {
    trace.getActiveSpan()?.setAttribute('http.route', '/cart/:id');
    return new Response();
  });
  assert.ok(own.store.span('GET /cart/:id'));
  const broken = () => {
    throw new Error('no route');
  };
  assert.ok((await play(() => new Response(), { routeOf: broken })).store.span('GET'));
});

test('instrument: an HTML page is told which span it comes from', async () => {
  const page = () => new Response('<p>', { headers: { 'content-type': 'text/html' } });
  const { store, answer } = await play(page);
  const { traceId, spanId } = store.span('GET');
  assert.equal(answer.headers.get('server-timing'), `traceparent;desc="00-${traceId}-${spanId}-01"`);
  const unkept = await play(page, { sampleRate: 0 });
  assert.match(String(unkept.answer.headers.get('server-timing')), /-00"$/);
  const silent = await play(page, { serverTiming: false });
  assert.equal(silent.answer.headers.get('server-timing'), null);
});

test('instrument: background work is waited for, and its spans belong to the request', async () => {
  let release = () => {};
  const { store, ctx } = await (async () => {
    const store = memoryStore();
    const ctx = new TestExecutionContext();
    const worker = instrument(
      {
        async fetch(_request: Request, _env: unknown, given: TestExecutionContext) {
          given.waitUntil(
            (async () => {
              await new Promise<void>((resolve) => {
                release = resolve;
              });
              trace.getTracer('app').startSpan('background').end();
              given.waitUntil(Promise.reject(new Error('for the runtime to tell')));
            })(),
          );
          return new Response('early');
        },
      },
      { service: 'shop', destination: store },
    );
    const answer = await worker.fetch(new Request(URL_TEXT), {}, ctx);
    assert.equal(await answer.text(), 'early');
    return { store, ctx };
  })();
  for (let turn = 0; turn < 20; turn++) await pause();
  assert.equal(store.objects.length, 0, 'the work goes on');
  release();
  await ctx.settled();
  assert.equal(store.span('background').parentSpanId, store.span('GET').spanId);
  assert.equal(store.objects.length, 1);
});

test('instrument: work that takes too long is interrupted, and what it did is stored', async () => {
  const store = memoryStore();
  let over = () => {};
  const allOver = new Promise<void>((resolve) => {
    over = resolve;
  });
  const worker = instrument(
    {
      fetch(_request: Request, _env: unknown, ctx: TestExecutionContext) {
        trace.getTracer('app').startSpan('endless');
        trace.getTracer('app').startSpan('done').end();
        ctx.waitUntil(new Promise(() => {}));
        return new Response();
      },
    },
    { service: 'shop', destination: store, waitTimeoutMillis: 20, onFlush: () => over() },
  );
  worker.fetch(new Request(URL_TEXT), {}, new TestExecutionContext());
  await allOver;
  assert.equal(store.span('endless').attributes['spandrel.interrupted'], true);
  assert.equal(store.span('done').attributes['spandrel.interrupted'], undefined);
});

test('instrument: the context of Workers is what it was, and ours is one more to wait for', async () => {
  const { ctx } = await play((_request, _env, given) => {
    assert.ok(given instanceof TestExecutionContext);
    assert.deepEqual(given.props, { of: 'the test' });
    assert.equal(given.waitUntil, given.waitUntil);
    given.passThroughOnException();
    const { waitUntil } = given;
    waitUntil(Promise.resolve());
    assert.throws(() => TestExecutionContext.prototype.waitUntil.call({}, Promise.resolve()));
    return new Response();
  });
  assert.equal(ctx.passesThrough, true);
  assert.equal(ctx.count, 2);
});

test('instrument: without waitUntil, open spans are waited for', async () => {
  const store = memoryStore();
  let release = () => {};
  const handle = instrument(
    async (_request: Request) => {
      const span = trace.getTracer('app').startSpan('left behind');
      void new Promise<void>((resolve) => {
        release = resolve;
      }).then(() => span.end());
      return new Response('answer');
    },
    { service: 'shop', destination: store },
  );
  const answer = await handle(new Request(URL_TEXT));
  assert.equal(await answer.text(), 'answer');
  for (let turn = 0; turn < 20; turn++) await pause();
  assert.equal(store.objects.length, 0);
  release();
  await until(() => store.openCount === 0 && store.objects.length === 1);
  assert.equal(store.span('left behind').attributes['spandrel.interrupted'], undefined);
});

test('instrument: an answer that came at once comes at once', () => {
  const store = memoryStore();
  const handle = instrument((_request: Request): Response | Promise<Response> => new Response(null), {
    service: 'shop',
    destination: store,
  });
  assert.ok(handle(new Request(URL_TEXT)) instanceof Response);
});

test('instrument: a stream’s span lasts as long as the stream', async () => {
  const store = memoryStore();
  const ctx = new TestExecutionContext();
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const start = (given: ReadableStreamDefaultController<Uint8Array>) => {
    controller = given;
  };
  const worker = instrument(
    {
      fetch: (_request: Request, _env: unknown, _ctx: unknown) => new Response(new ReadableStream({ start })),
    },
    { service: 'shop', destination: store },
  );
  const answer = await worker.fetch(new Request(URL_TEXT), {}, ctx);
  const reader = answer.body?.getReader();
  controller?.enqueue(new TextEncoder().encode('one'));
  assert.equal(new TextDecoder().decode((await reader?.read())?.value), 'one');
  for (let turn = 0; turn < 20; turn++) await pause();
  assert.deepEqual(store.spans, []);
  controller?.close();
  assert.equal((await reader?.read())?.done, true);
  await ctx.settled();
  assert.ok(store.span('GET'));
});

test('instrument: a handler within an instrumented handler is traced once', async () => {
  const store = memoryStore();
  const options = { service: 'shop', destination: store };
  const inner = instrument((_request: Request, ..._rest: unknown[]) => new Response('inner'), options);
  const ctx = new TestExecutionContext();
  const outer = instrument({ fetch: inner }, options);
  await ((await outer.fetch(new Request(URL_TEXT), {}, ctx)) as Response).text();
  await ctx.settled();
  assert.equal(store.spans.length, 1);
});

test('instrument: a module’s other properties are the very same, and so is what it is', async () => {
  class Durable {}
  class Handler {
    #secret = 'mine';
    Durable = Durable;
    email() {
      return this.#secret;
    }
    fetch(_request: Request, _env: unknown, _ctx: unknown) {
      return new Response(this.#secret);
    }
  }
  const store = memoryStore();
  const handler = new Handler();
  const worker = instrument(handler, { service: 'shop', destination: store });
  assert.ok(worker instanceof Handler);
  assert.equal(worker.constructor, Handler);
  assert.equal(worker.Durable, Durable);
  assert.equal(worker.email(), 'mine');
  assert.deepEqual(Object.keys(worker), ['Durable']);
  assert.equal(worker.fetch, worker.fetch);
  const ctx = new TestExecutionContext();
  assert.equal(await (await worker.fetch(new Request(URL_TEXT), {}, ctx)).text(), 'mine');
  await ctx.settled();
  assert.ok(store.span('GET'));
  const tail = () => {};
  const frozen = Object.freeze({ tail, fetch: (_request: Request) => new Response('frozen') });
  const other = instrument(frozen, { service: 'shop', destination: store });
  assert.equal(other.tail, tail);
  assert.equal(await (await other.fetch(new Request(URL_TEXT))).text(), 'frozen');
  await until(() => store.objects.length === 2);
});

test('instrument: a function keeps its name and its number of parameters', () => {
  const options = { service: 'shop', destination: memoryStore() };
  const handle = instrument(function serve(_request: Request, _context: unknown) {
    return new Response();
  }, options);
  assert.equal(handle.name, 'serve');
  assert.equal(handle.length, 2);
});

test('instrument: a scheduled event', async () => {
  const store = memoryStore();
  const ctx = new TestExecutionContext();
  const worker = instrument(
    {
      async scheduled(_controller: object, _env: unknown, _ctx: unknown) {
        trace.getTracer('app').startSpan('work').end();
      },
    },
    { service: 'shop', destination: store },
  );
  await worker.scheduled({ cron: '*/5 * * * *', scheduledTime: 1_800_000_000_000 }, {}, ctx);
  await ctx.settled();
  const span = store.span('scheduled');
  assert.equal(span.kind, SpanKind.SERVER + 1);
  assert.equal(span.attributes['faas.trigger'], 'timer');
  assert.equal(span.attributes['faas.cron'], '*/5 * * * *');
  assert.equal(span.attributes['faas.invocation.start_time'], '2027-01-15T08:00:00.000Z');
  assert.equal(store.span('work').parentSpanId, span.spanId);
});

test('instrument: a batch of messages, with links to where they come from', async () => {
  const store = memoryStore();
  const ctx = new TestExecutionContext();
  const worker = instrument(
    { async queue(_batch: object, _env: unknown, _ctx: unknown) {} },
    { service: 'shop', destination: store },
  );
  const messages = [
    { body: { traceparent: `00-${TRACE_ID}-${SPAN_ID}-01` } },
    { body: 'text' },
    { body: null },
    { body: { traceparent: 'none' } },
  ];
  await worker.queue({ queue: 'orders', messages }, {}, ctx);
  await ctx.settled();
  const span = store.span('process orders');
  assert.equal(span.kind, SpanKind.CONSUMER + 1);
  assert.equal(span.attributes['messaging.destination.name'], 'orders');
  assert.equal(span.attributes['messaging.batch.message_count'], 4);
  assert.equal(span.attributes['messaging.system.name'], 'cloudflare_queues');
  assert.deepEqual(
    span.links.map(({ traceId }) => traceId),
    [TRACE_ID],
  );
});

test('instrument: what could not be sent goes with the next request', async () => {
  const store = memoryStore();
  const results: string[] = [];
  const worker = instrument(
    { fetch: (_request: Request, _env: unknown, _ctx: unknown) => new Response() },
    {
      ...{ service: 'shop', destination: store },
      onFlush: (result) => void results.push(result),
    },
  );
  const request = async () => {
    const ctx = new TestExecutionContext();
    await worker.fetch(new Request(URL_TEXT), {}, ctx);
    await ctx.settled();
  };
  store.answer = () => ({ status: 'retryable', cause: 'down' });
  await request();
  assert.deepEqual(store.spans, []);
  store.answer = () => ({ status: 'stored' });
  await request();
  assert.equal(store.spans.length, 2);
  assert.deepEqual(results, ['waiting', 'stored']);
});
