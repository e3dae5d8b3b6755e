import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRetryAfter, readBytes, textOf } from './http.js';

const NOW = Date.parse('Fri, 31 Dec 1999 23:59:00 GMT');

// The first two values are the examples of RFC 9110, section 10.2.3.
for (const [value, date, expected] of [
  ['120', undefined, 120_000],
  ['Fri, 31 Dec 1999 23:59:59 GMT', undefined, 59_000],
  ['Fri, 31 Dec 1999 23:59:59 GMT', 'Fri, 31 Dec 1999 23:59:49 GMT', 10_000],
  ['Fri, 31 Dec 1999 23:59:59 GMT', 'no date', 59_000],
  [' 5 ', undefined, 5_000],
  ['0', undefined, 0],
  ['Fri, 31 Dec 1999 23:00:00 GMT', undefined, 0],
  ['999999999', undefined, 3_600_000],
  ['9'.repeat(400), undefined, 3_600_000],
  ['soon', undefined, undefined],
  ['', undefined, undefined],
] as const) {
  test(`http: Retry-After "${value.slice(0, 40)}"${date ? ` at ${date}` : ''} is ${expected} ms`, () => {
    const headers = new Headers({ 'retry-after': value, ...(date ? { date } : {}) });
    assert.equal(parseRetryAfter(headers, NOW), expected);
  });
}

test('http: no Retry-After is undefined', () => {
  assert.equal(parseRetryAfter(new Headers(), NOW), undefined);
});

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
