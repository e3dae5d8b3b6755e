import assert from 'node:assert/strict';
import { test } from 'node:test';
import { uuidv7 } from './uuid.js';

test('uuid: the example of RFC 9562, appendix A.6', () => {
  // 017F22E2-79B0-7CC3-98C4-DC0C0C07398F: rand_a is CC3, rand_b 18C4DC0C0C07398F.
  const random = Uint8Array.of(0xcc, 0x31, 0x8c, 0x4d, 0xc0, 0xc0, 0xc0, 0x73, 0x98, 0xf0);
  assert.equal(uuidv7(0x017f22e279b0, random), '017f22e2-79b0-7cc3-98c4-dc0c0c07398f');
});

test('uuid: version and variant hold for any bytes and any time', () => {
  for (const now of [0, -5, 1.5, 2 ** 48 - 1, 2 ** 52]) {
    for (const byte of [0, 0x5a, 0xff]) {
      const uuid = uuidv7(now, new Uint8Array(10).fill(byte));
      assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
  }
});

test('uuid: later ones sort after earlier ones', () => {
  const bytes = new Uint8Array(10).fill(0xff);
  assert.ok(uuidv7(1_790_000_000_000, bytes) < uuidv7(1_790_000_000_001, new Uint8Array(10)));
});
