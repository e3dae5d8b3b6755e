import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { deflate } from './compress-deflate.js';

const assertInflates = (raw: Uint8Array): void =>
  assert.ok(Buffer.from(raw).equals(inflateRawSync(deflate(raw))), `${raw.length} bytes`);

test('deflate: zlib reads what it writes, whatever it is', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 5_000 }), assertInflates));
  // Few different bytes repeat themselves at every distance and length.
  fc.assert(
    fc.property(fc.array(fc.nat(2), { maxLength: 5_000 }), (bytes) => assertInflates(Uint8Array.from(bytes))),
  );
});

test('deflate: repetitions of every length, at every distance up to the window and beyond', () => {
  for (const length of [1, 3, 4, 5, 10, 11, 257, 258, 259, 300, 1_000]) {
    for (const distance of [
      1, 2, 3, 4, 5, 8, 9, 256, 257, 1_024, 1_025, 24_576, 32_767, 32_768, 32_769, 40_000,
    ]) {
      const piece = Uint8Array.from({ length }, (_, at) => (at * 7 + length) & 0xff);
      const raw = new Uint8Array(Math.max(0, distance - length) + 2 * length + 3).map(
        (_, at) => (at * 2_654_435_761) >>> 24,
      );
      raw.set(piece);
      raw.set(piece, distance);
      assertInflates(raw);
    }
  }
  assertInflates(new Uint8Array(300_000));
  assertInflates(new Uint8Array(0));
});
