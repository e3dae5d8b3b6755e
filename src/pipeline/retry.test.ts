import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextDelayMillis, RETRY_BASE_MILLIS, RETRY_CAP_MILLIS } from './retry.js';

test('retry: the longest delay doubles from one second to five minutes', () => {
  const longest = [1, 2, 3, 8, 9, 10, 1_000].map((failures) => nextDelayMillis(failures, 1));
  assert.deepEqual(longest, [1_000, 2_000, 4_000, 128_000, 256_000, 300_000, 300_000]);
});

test('retry: jitter is full, from nothing to the longest delay', () => {
  assert.equal(nextDelayMillis(3, 0), 0);
  assert.equal(nextDelayMillis(3, 0.25), 1_000);
});

test('retry: Retry-After is a least delay beside our own', () => {
  assert.equal(nextDelayMillis(9, 0, 7_000), 7_000);
  assert.equal(nextDelayMillis(1, 0.5, RETRY_CAP_MILLIS * 2), RETRY_CAP_MILLIS * 2 + RETRY_BASE_MILLIS / 2);
  assert.equal(nextDelayMillis(9, 0.5, 0), 128_000, 'and ours beside it: 0 is no leave to hammer');
});
