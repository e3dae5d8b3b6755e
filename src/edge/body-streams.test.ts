import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BodyEnd, carry, pipe, pump, type Transform } from './body-streams.js';

const bytes = (text: string) => new TextEncoder().encode(text);

/** Resolves with what was told first. */
function ending() {
  let count = 0;
  let resolve: (end: [BodyEnd, unknown?]) => void = () => {};
  const ended = new Promise<[BodyEnd, unknown?]>((own) => {
    resolve = own;
  });
  const end = (...told: [BodyEnd, unknown?]): void => {
    count++;
    resolve(told);
  };
  return { ended, end, count: () => count };
}

const byteStream = (source: Omit<UnderlyingByteSource, 'type'>): ReadableStream<Uint8Array> =>
  new ReadableStream({ ...source, type: 'bytes' });

/** Stands for workerd's: a write waits for its read. */
const through = () => new TransformStream({}, undefined, { highWaterMark: 0 }) as Transform;

const WAYS = {
  piped: (source: ReadableStream<Uint8Array>, to: Transform, end: Parameters<typeof pipe>[2]) =>
    pipe(source, to, end, 'failed'),
  carried: (source: ReadableStream<Uint8Array>, to: Transform, end: Parameters<typeof carry>[2]) =>
    void carry(source.getReader({ mode: 'byob' }), to, end),
};

for (const [way, begin] of Object.entries(WAYS)) {
  test(`body ${way}: chunk by chunk, to its end`, async () => {
    const { ended, end } = ending();
    const chunks = ['one', 'two', 'x'.repeat(100_000)];
    const source = byteStream({
      pull(controller) {
        const chunk = chunks.shift();
        if (chunk) controller.enqueue(bytes(chunk));
        else {
          controller.close();
          controller.byobRequest?.respond(0);
        }
      },
    });
    const to = through();
    begin(source, to, end);
    const reader = to.readable.getReader();
    assert.deepEqual((await reader.read()).value, bytes('one'));
    assert.deepEqual((await reader.read()).value, bytes('two'));
    let rest = 0;
    for (let read = await reader.read(); !read.done; read = await reader.read()) rest += read.value.length;
    assert.equal(rest, 100_000);
    assert.deepEqual(await ended, ['whole']);
  });

  test(`body ${way}: a client that goes`, async () => {
    const { ended, end } = ending();
    const cancelled: unknown[] = [];
    const source = byteStream({
      pull: (controller) => controller.enqueue(bytes('more')),
      cancel: (reason) => void cancelled.push(reason),
    });
    const to = through();
    begin(source, to, end);
    const reason = new Error('gone');
    const reader = to.readable.getReader();
    await reader.read();
    await reader.cancel(reason);
    assert.deepEqual(await ended, ['cancelled', reason]);
    assert.deepEqual(cancelled, [reason]);
  });

  test(`body ${way}: a source that fails`, async () => {
    const { ended, end } = ending();
    const error = new Error('source broke');
    let pulls = 0;
    const source = byteStream({
      pull(controller) {
        if (++pulls > 1) throw error;
        controller.enqueue(bytes('one'));
      },
    });
    const to = through();
    begin(source, to, end);
    const reader = to.readable.getReader();
    await reader.read();
    await assert.rejects(reader.read(), (thrown) => thrown === error);
    assert.deepEqual(await ended, ['failed', error]);
  });
}

const never = Number.POSITIVE_INFINITY;

test('body pumped: a client that goes before it has read', async () => {
  const { ended, end } = ending();
  const cancelled: unknown[] = [];
  const source = new ReadableStream<Uint8Array>({ cancel: (reason) => void cancelled.push(reason) });
  await pump(source, end, never).cancel('gone');
  assert.deepEqual(await ended, ['cancelled', 'gone']);
  assert.deepEqual(cancelled, ['gone']);
});

test('body pumped: a client that goes while it reads is told of once', async () => {
  const { ended, end, count } = ending();
  const reader = pump(new ReadableStream<Uint8Array>(), end, never).getReader();
  const reading = reader.read();
  await new Promise((resolve) => setImmediate(resolve));
  await reader.cancel('gone');
  assert.equal((await reading).done, true);
  assert.deepEqual(await ended, ['cancelled', 'gone']);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(count(), 1);
});

test('body pumped: nothing is asked of the source before the client asks', async () => {
  let pulls = 0;
  const source = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        pulls++;
        controller.enqueue(bytes('one'));
      },
    },
    { highWaterMark: 0 },
  );
  const reader = pump(source, () => {}, never).getReader();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(pulls, 0);
  await reader.read();
  assert.equal(pulls, 1);
});
