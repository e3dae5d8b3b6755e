import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareDelivery } from './delivery.mjs';

const span = (/** @type {string} */ spanId, name = spanId) => ({ spanId, name });
const ALL_ONCE = { missing: [], unexpected: [], duplicateSpans: 0, duplicateObjects: 0 };

test('delivery: everything, once', () => {
  const delivery = compareDelivery(new Set(['a', 'b']), [[span('a')], [span('b')]]);
  assert.deepEqual(delivery, ALL_ONCE);
});

test('delivery: names what is missing, and what nobody emitted', () => {
  const { missing, unexpected } = compareDelivery(new Set(['a', 'b']), [[span('b'), span('c')]]);
  assert.deepEqual({ missing, unexpected }, { missing: ['a'], unexpected: ['c'] });
});

test('delivery: counts a span in two objects, and two objects with the same spans', () => {
  const emitted = new Set(['a', 'b']);
  const overlapping = compareDelivery(emitted, [[span('a'), span('b')], [span('b')]]);
  assert.deepEqual(overlapping, { ...ALL_ONCE, duplicateSpans: 1 });
  const same = compareDelivery(emitted, [
    [span('a'), span('b')],
    [span('b'), span('a')],
  ]);
  assert.deepEqual(same, { ...ALL_ONCE, duplicateSpans: 2, duplicateObjects: 1 });
});

test('delivery: a span that came again under another id is there twice', () => {
  const { duplicateSpans } = compareDelivery(new Set(['a']), [[span('1', 'a')], [span('2', 'a')]]);
  assert.equal(duplicateSpans, 1);
});
