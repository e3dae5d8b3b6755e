import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBase64Url, encodeBase64Url } from './base64url.js';

test('base64url: agrees with Node for every length of tail', () => {
  for (let length = 0; length < 40; length += 1) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 89 + 251) % 256);
    const text = Buffer.from(bytes).toString('base64url');
    assert.equal(encodeBase64Url(bytes), text);
    assert.deepEqual(decodeBase64Url(text), bytes);
  }
});

test('base64url: takes one text only for the same bytes', () => {
  assert.deepEqual(decodeBase64Url('_w'), Uint8Array.of(255));
  for (const other of ['_x', '/w', '_w==', '_', '_w ', 'é', '_w\n']) {
    assert.equal(decodeBase64Url(other), undefined, other);
  }
});
