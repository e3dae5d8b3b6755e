import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { trace } from '@opentelemetry/api';
import { memoryStore, TestExecutionContext } from '../testing/edge.js';
import { until } from '../testing/platform.js';
import { instrument } from './instrument.js';
import type { EdgeOptions } from './options.js';

const URL_TEXT = 'https://shop.example/cart';
const request = () => new Request(URL_TEXT);

/** What became of one request: what the runtime got, and what is stored. */
async function play(handle: (request: Request) => unknown, options: Partial<EdgeOptions> = {}) {
  const store = memoryStore();
  const ctx = new TestExecutionContext();
  const worker = instrument({ fetch: handle }, { service: 'shop', destination: store, ...options });
  let thrown: unknown;
  let answer: unknown;
  try {
    answer = await (worker.fetch as (...args: unknown[]) => unknown)(request(), {}, ctx);
  } catch (error) {
    thrown = error;
  }
  const isFresh = answer instanceof Response && !answer.bodyUsed && !answer.body?.locked;
  const text = isFresh ? await (answer as Response).text() : undefined;
  await ctx.settled();
  return { store, answer, thrown, text };
}

const errorOf = (store: ReturnType<typeof memoryStore>) => {
  const { status, attributes } = store.span('GET');
  return [status?.code ?? 0, attributes['error.type']];
};

test('failing handlers: what is thrown goes on to the runtime, the very same, and is recorded', async () => {
  const error = new TypeError('no stock');
  const throwers: Record<string, () => unknown> = {
    throws: () => {
      throw error;
    },
    rejects: () => Promise.reject(error),
    'rejects late': async () => {
      await new Promise((resolve) => setImmediate(resolve));
      throw error;
    },
  };
  for (const [name, handle] of Object.entries(throwers)) {
    const { store, thrown } = await play(handle);
    assert.equal(thrown, error, name);
    assert.deepEqual(errorOf(store), [2, 'TypeError'], name);
    const [event] = store.span('GET').events;
    assert.equal(event?.name, 'exception');
    assert.equal(event?.attributes['exception.message'], 'no stock');
    assert.match(String(event?.attributes['exception.stacktrace']), /TypeError: no stock\n/);
    assert.equal(store.span('GET').attributes['http.response.status_code'], undefined);
    assert.equal(store.openCount, 0);
  }
});

test('failing handlers: anything can be thrown', async () => {
  for (const [value, type] of [
    [undefined, 'undefined'],
    [null, 'null'],
    ['text', 'string'],
    [new Proxy({}, { get: () => assert.fail('looked at') }), 'object'],
  ] as const) {
    let isThrown = false;
    const { store, thrown } = await play(() => {
      isThrown = true;
      throw value;
    });
    assert.equal(isThrown && thrown, value);
    assert.deepEqual(errorOf(store), [2, type]);
  }
});

test('failing handlers: an answer of 500 and more is an error, one of 400 is none', async () => {
  assert.deepEqual(errorOf((await play(() => new Response('', { status: 503 }))).store), [2, '503']);
  assert.deepEqual(errorOf((await play(() => new Response('', { status: 404 }))).store), [0, undefined]);
});

test('failing handlers: what is no response goes on to the runtime and is recorded', async () => {
  for (const answer of [undefined, null, 'text', 42, {}, Response.error()]) {
    const played = await play(() => answer);
    assert.equal(played.answer, answer);
    assert.deepEqual(errorOf(played.store), [2, 'invalid_response']);
  }
});

test('failing handlers: a response that was read goes on to the runtime and is recorded', async () => {
  const read = new Response('text');
  await read.text();
  const played = await play(() => read);
  assert.equal(played.answer, read);
  assert.deepEqual(errorOf(played.store), [2, 'body_used']);
  const locked = new Response('text');
  locked.body?.getReader();
  const { answer, store } = await play(() => locked);
  assert.equal(answer, locked);
  assert.equal(store.span('GET').attributes['spandrel.body.end'], 'unobserved');
});

test('failing handlers: a stream that fails is recorded, and fails for who reads it', async () => {
  const store = memoryStore();
  const ctx = new TestExecutionContext();
  const error = new RangeError('half way');
  const worker = instrument(
    {
      fetch: (_request: Request, _env: unknown, _ctx: unknown) => {
        const start = (controller: ReadableStreamDefaultController) => controller.enqueue(new Uint8Array(1));
        const pull = () => {
          throw error;
        };
        return new Response(new ReadableStream({ start, pull }, { highWaterMark: 0 }));
      },
    },
    { service: 'shop', destination: store },
  );
  const answer = await worker.fetch(request(), {}, ctx);
  await assert.rejects(answer.arrayBuffer(), error);
  await ctx.settled();
  assert.deepEqual(errorOf(store), [2, 'RangeError']);
});

test('failing handlers: of one that hangs, the spans that ended are stored', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const store = memoryStore();
    const worker = instrument(
      {
        fetch: async (_request: Request, _env: unknown, _ctx: unknown) => {
          trace.getTracer('app').startSpan('child').end();
          await new Promise(() => {});
        },
      },
      { service: 'shop', destination: store },
    );
    void worker.fetch(request(), {}, new TestExecutionContext());
    mock.timers.tick(4_999);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(store.spans, []);
    mock.timers.tick(1);
    await until(() => store.spans.length === 1);
    assert.ok(store.span('child'));
  } finally {
    mock.timers.reset();
  }
});

test('failing handlers: of an invocation that makes many spans, parts are stored while it goes on', async () => {
  const store = memoryStore();
  const ctx = new TestExecutionContext();
  let stored = () => {};
  const partStored = new Promise<void>((resolve) => {
    stored = resolve;
  });
  store.answer = () => {
    stored();
    return { status: 'stored' };
  };
  const worker = instrument(
    {
      async fetch(_request: Request, _env: unknown, _ctx: unknown) {
        for (let count = 0; count < 512; count++) trace.getTracer('app').startSpan(`span ${count}`).end();
        await partStored;
        trace.getTracer('app').startSpan('last').end();
        return new Response();
      },
    },
    { service: 'shop', destination: store },
  );
  await worker.fetch(request(), {}, ctx);
  await ctx.settled();
  assert.deepEqual(
    store.objects.map(({ length }) => length),
    [512, 2],
  );
});

test('failing handlers: hooks of the user that throw do no harm', async () => {
  const hook = () => {
    throw new Error('a hook');
  };
  const options = { routeOf: hook, trustTraceparent: hook, onFlush: hook };
  const { store, text } = await play(() => new Response('fine'), options);
  assert.equal(text, 'fine');
  assert.equal(store.openCount, 0);
  assert.equal(store.spans.length, 1);
});

test('failing handlers: a destination that fails or never answers holds nothing up', async () => {
  for (const answer of [
    () => new Promise<never>(() => {}),
    () => {
      throw new Error('a destination');
    },
    () => ({ status: 'rejected', reason: 'rejected', cause: 'no' }) as const,
  ]) {
    const store = memoryStore();
    store.answer = answer;
    const ctx = new TestExecutionContext();
    const worker = instrument(
      { fetch: (_request: Request, _env: unknown, _ctx: unknown) => new Response('fine') },
      { service: 'shop', destination: store, flushTimeoutMillis: 20 },
    );
    assert.equal(await (await worker.fetch(request(), {}, ctx)).text(), 'fine');
    await ctx.settled();
    assert.equal(store.openCount, 0);
  }
  const destination = {
    open() {
      throw new Error('cannot open');
    },
  };
  assert.equal((await play(() => new Response('fine'), { destination })).text, 'fine');
});

test('failing handlers: what is no request is the handler’s to deal with', async () => {
  const worker = instrument(
    { fetch: (given: unknown, _env: unknown, _ctx: unknown) => given },
    { service: 'shop', destination: memoryStore() },
  );
  assert.equal(worker.fetch(undefined as never, {}, {}), undefined);
  assert.equal(worker.fetch('text' as never, {}, {}), 'text');
});
