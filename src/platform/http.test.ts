import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readBytes, textOf } from './http.js';

test('http: a body is read across its chunks, and is UTF-8', async () => {
  const bytes = new TextEncoder().encode('añ€😀');
  const stream = new ReadableStream({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const read = await readBytes(new Response(stream));
  assert.deepEqual(read, bytes);
  assert.equal(textOf(read), 'añ€😀');
  assert.equal(textOf(read.subarray(0, -1)), 'añ€');
  assert.equal((await readBytes(new Response(null))).length, 0);
});

test('http: an endless body is cut and cancelled', async () => {
  let cancelled = false;
  const endless = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(65_536).fill(97)),
    cancel: () => {
      cancelled = true;
    },
  });
  const { length } = await readBytes(new Response(endless));
  assert.ok(length >= 262_144 && length <= 393_216, String(length));
  assert.equal(cancelled, true);
});

test('http: a body that breaks is the caller’s to catch', async () => {
  const broken = new ReadableStream({ start: (controller) => controller.error(new TypeError('reset')) });
  await assert.rejects(readBytes(new Response(broken)), /reset/);
});
