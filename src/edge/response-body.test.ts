import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BodyEnd } from './body-streams.js';
import { watchBody } from './response-body.js';

/** What was told, in order. */
function listener() {
  const told: [BodyEnd, unknown?][] = [];
  const done = (error: unknown, end: BodyEnd): void => {
    told.push(error === undefined ? [end] : [end, error]);
  };
  return { told, done };
}

const bytes = (text: string) => new TextEncoder().encode(text);
const macrotask = () => new Promise((resolve) => setImmediate(resolve));

/** A stream that gives what it is told to, when it is told to. */
function source() {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const cancelled: unknown[] = [];
  const stream = new ReadableStream<Uint8Array>({
    start(own) {
      controller = own;
    },
    cancel(reason) {
      cancelled.push(reason);
    },
  });
  return {
    stream,
    cancelled,
    give: (text: string) => controller?.enqueue(bytes(text)),
    close: () => controller?.close(),
    fail: (error: unknown) => controller?.error(error),
  };
}

/** A reader of the watched response. */
async function readerOf(response: Response, done: Parameters<typeof watchBody>[1]) {
  const watched = await watchBody(response, done);
  assert.ok(watched.body);
  return watched.body.getReader();
}

const textOf = ({ value }: { value?: Uint8Array | undefined }) => new TextDecoder().decode(value);

test('response body: a text is all there, and the client gets the same', async () => {
  const { told, done } = listener();
  const headers = new Headers({ 'content-type': 'text/html', 'x-a': '1' });
  headers.append('set-cookie', 'a=1');
  headers.append('set-cookie', 'b=2');
  const response = new Response('hello', { status: 201, statusText: 'Made', headers });
  const watched = await watchBody(response, done);
  assert.deepEqual(told, [['whole']]);
  assert.deepEqual([watched.status, watched.statusText], [201, 'Made']);
  assert.deepEqual([...watched.headers], [...headers]);
  assert.deepEqual(watched.headers.getSetCookie(), ['a=1', 'b=2']);
  assert.equal(await watched.text(), 'hello');
});

test('response body: what is all there is built again from its bytes, however it was made', async () => {
  const form = new URLSearchParams({ a: 'b' });
  const one = new Uint8Array(1_048_576).fill(7);
  const two = new ReadableStream({
    start(controller) {
      controller.enqueue(bytes('one'));
      controller.enqueue(bytes('two'));
      controller.close();
    },
  });
  for (const [body, text] of [
    ['', ''],
    [form, 'a=b'],
    [one, new TextDecoder().decode(one)],
    [two, 'onetwo'],
  ] as const) {
    const { told, done } = listener();
    const built: unknown[] = [];
    const original = globalThis.Response;
    const response = new Response(body);
    // The adapters of Node put their own class here, which knows a length from bytes and not from a stream.
    globalThis.Response = class extends original {
      constructor(given?: BodyInit | null, init?: ResponseInit) {
        built.push(given);
        super(given, init);
      }
    };
    try {
      const watched = await watchBody(response, done);
      assert.ok(built[0] instanceof Uint8Array);
      assert.equal(await watched.text(), text);
    } finally {
      globalThis.Response = original;
    }
    assert.deepEqual(told, [['whole']]);
  }
});

test('response body: events go on one by one, at once, and headers wait for none', async () => {
  const { told, done } = listener();
  const { stream, give, close } = source();
  const watching = watchBody(
    new Response(stream, { headers: { 'content-type': 'text/event-stream' } }),
    done,
  );
  // Nothing but microtasks may have to pass.
  let watched: Response | undefined;
  void Promise.resolve(watching).then((response) => {
    watched = response;
  });
  await macrotask();
  assert.equal(watched?.headers.get('content-type'), 'text/event-stream');
  const reader = watched?.body?.getReader();
  assert.ok(reader);
  for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
    const read = reader.read();
    give(event);
    assert.equal(textOf(await read), event);
    assert.deepEqual(told, []);
  }
  close();
  assert.equal((await reader.read()).done, true);
  assert.deepEqual(told, [['whole']]);
});

test('response body: what was read ahead comes first, then the rest', async () => {
  const { told, done } = listener();
  const { stream, give, close } = source();
  give('one');
  give('two');
  const reader = await readerOf(new Response(stream), done);
  assert.equal(textOf(await reader.read()), 'one');
  assert.equal(textOf(await reader.read()), 'two');
  give('three');
  close();
  assert.equal(textOf(await reader.read()), 'three');
  assert.deepEqual(told, []);
  assert.equal((await reader.read()).done, true);
  assert.deepEqual(told, [['whole']]);
});

test('response body: a source without end is asked for no more than the client takes', async () => {
  const { told, done } = listener();
  let pulls = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulls++;
      controller.enqueue(new Uint8Array(10_000));
    },
  });
  const reader = await readerOf(new Response(stream), done);
  await macrotask();
  // 64 KiB ahead, and what the source itself keeps ready.
  const ahead = pulls;
  assert.ok(ahead <= 9, `${ahead} pulls`);
  for (let turn = 0; turn < 20; turn++) await reader.read();
  await macrotask();
  assert.ok(pulls <= 22, `${pulls} pulls`);
  await reader.cancel();
  assert.deepEqual(told, [['cancelled']]);
});

test('response body: a client that goes is told to the source, with its reason', async () => {
  const { told, done } = listener();
  const { stream, cancelled, give } = source();
  const reader = await readerOf(new Response(stream), done);
  const reading = reader.read();
  give('one');
  await reading;
  const late = reader.read();
  const reason = new Error('gone');
  await reader.cancel(reason);
  assert.equal((await late).done, true);
  assert.deepEqual(told, [['cancelled', reason]]);
  assert.deepEqual(cancelled, [reason]);
});

test('response body: a client that never reads and goes', async () => {
  const { told, done } = listener();
  const { stream, cancelled } = source();
  const watched = await watchBody(new Response(stream, { status: 500 }), done);
  await watched.body?.cancel('gone');
  assert.deepEqual([told, cancelled], [[['cancelled', 'gone']], ['gone']]);
});

test('response body: a client that has its Content-Length has all, whether or not it reads on', async () => {
  const { told, done } = listener();
  const { stream, give } = source();
  const reader = await readerOf(new Response(stream, { headers: { 'content-length': '3' } }), done);
  const reading = reader.read();
  give('one');
  await reading;
  await reader.cancel('resource closed');
  assert.deepEqual(told, [['whole']]);
});

test('response body: the client gets the very error of the source', async () => {
  const { told, done } = listener();
  const { stream, give, fail } = source();
  const reader = await readerOf(new Response(stream), done);
  const reading = reader.read();
  give('one');
  await reading;
  const error = new Error('source broke');
  const next = reader.read();
  fail(error);
  await assert.rejects(next, (thrown) => thrown === error);
  await reader.cancel().catch(() => {});
  assert.deepEqual(told, [['failed', error]]);
});

test('response body: a source that has failed already', async () => {
  const { told, done } = listener();
  const { stream, fail } = source();
  const error = new Error('source broke');
  const response = new Response(stream);
  fail(error);
  const watched = await watchBody(response, done);
  await macrotask();
  await assert.rejects(watched.text(), (thrown) => thrown === error);
  assert.deepEqual(told, [['failed', error]]);
});

test('response body: a source that fails before anybody asks rejects nowhere', async () => {
  const unhandled: unknown[] = [];
  const listen = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', listen);
  const { stream, give, fail } = source();
  give('x'.repeat(60_000));
  give('x'.repeat(60_000));
  await watchBody(new Response(stream), () => {});
  fail(new Error('source broke'));
  await macrotask();
  process.off('unhandledRejection', listen);
  assert.deepEqual(unhandled, []);
});

test('response body: what are no bytes goes on as it is', async () => {
  const { told, done } = listener();
  const stream = new ReadableStream({
    start(controller) {
      for (const chunk of ['', 'text', undefined, 'more']) controller.enqueue(chunk);
      controller.close();
    },
  });
  const reader = await readerOf(new Response(stream), done);
  for (const chunk of ['', 'text', undefined, 'more']) assert.equal((await reader.read()).value, chunk);
  assert.equal((await reader.read()).done, true);
  assert.deepEqual(told, [['whole']]);
});

test('response body: where there is nothing to wait for, the response itself is returned', async () => {
  const stream = () => new ReadableStream({ pull() {} });
  const used = new Response('used');
  await used.text();
  const locked = new Response(stream());
  locked.body?.getReader();
  const encoded = { headers: { 'content-encoding': 'gzip' } };
  const cases: [string, Response, BodyEnd, boolean?][] = [
    ['no body', new Response(null), 'whole'],
    ['204', new Response(null, { status: 204 }), 'whole'],
    ['304', new Response(null, { status: 304 }), 'whole'],
    ['redirect', Response.redirect('http://a.example/'), 'whole'],
    ['redirect with a body', new Response(stream(), { status: 301 }), 'whole'],
    ['error', Response.error(), 'whole'],
    ['WebSocket', { status: 101, body: stream() } as Response, 'whole'],
    ['HEAD', new Response(stream()), 'whole', true],
    ['used', used, 'unobserved'],
    ['locked', locked, 'unobserved'],
    ['encoded', new Response(stream(), encoded), 'unobserved'],
    ['encoded text', new Response('text', encoded), 'unobserved'],
    ['no response', undefined as never, 'unobserved'],
    ['somebody’s own', { status: 200, headers: new Headers(), body: {} } as Response, 'unobserved'],
  ];
  for (const [name, response, end, isHead] of cases) {
    const { told, done } = listener();
    const isLocked = response?.body?.locked;
    assert.equal(await watchBody(response, done, isHead), response, name);
    assert.equal(response?.body?.locked, isLocked, name);
    assert.deepEqual(told, [[end]], name);
  }
});

test('response body: a listener that throws harms nobody', async () => {
  let calls = 0;
  const watched = await watchBody(new Response('hello'), () => {
    calls++;
    throw new Error('ours');
  });
  assert.equal(await watched.text(), 'hello');
  const { stream, give, close } = source();
  const streamed = await watchBody(new Response(stream), () => {
    calls++;
    throw new Error('ours');
  });
  give('one');
  close();
  assert.equal(await streamed.text(), 'one');
  assert.equal(calls, 2);
});
