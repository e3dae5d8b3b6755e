import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIRST_LENGTHS, spareLengths } from './upload-sizes.js';

test('upload sizes: before there are blobs, lengths of all kinds', () => {
  assert.deepEqual(spareLengths(FIRST_LENGTHS, [], 5), [8_192, 4_096, 1_024, 2_048, 1_024]);
});

test('upload sizes: spares are for blobs like the latest, and one takes twice the largest of late', () => {
  const recent = [3_000, 1_500, 700, 1_025];
  assert.deepEqual(spareLengths(recent, [], 3), [6_144, 1_536, 1_024]);
  assert.deepEqual(spareLengths(recent, [1_024, 6_144], 2), [1_536, 1_024]);
  assert.deepEqual(spareLengths(recent, [5_999], 1), [6_144]);
  assert.deepEqual(spareLengths(recent, [6_000], 0), []);
});

test('upload sizes: more spares than blobs are large ones', () => {
  assert.deepEqual(spareLengths([700], [], 3), [1_536, 1_024, 1_536]);
});

test('upload sizes: spares without lengths take anything', () => {
  assert.deepEqual(spareLengths([700], [undefined, undefined], 1), [1_536]);
});

test('upload sizes: no more is kept for a page’s last words than can go with it', () => {
  assert.deepEqual(spareLengths([50_000], [], 2), [60_416, 50_176]);
  assert.deepEqual(spareLengths([200_000], [], 2), [60_416, 200_192]);
});
