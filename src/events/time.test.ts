import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { durationOf, hrTimeOf, millisOf } from './time.js';

test('time: seconds and whole nanoseconds, which carry over', () => {
  assert.deepEqual(hrTimeOf(1_999.999_999_9), [2, 0]);
  assert.deepEqual(hrTimeOf(0.000_001), [0, 1]);
  fc.assert(
    fc.property(fc.double({ min: 0, max: 18_446_744_072_999, noNaN: true }), (millis) => {
      const [seconds, nanos] = hrTimeOf(millis);
      assert.ok(Number.isInteger(seconds) && Number.isInteger(nanos) && nanos >= 0 && nanos < 1e9);
      // Within what a double can tell of as many milliseconds.
      assert.ok(Math.abs(seconds * 1e3 + nanos / 1e6 - millis) <= 1e-6 + millis * Number.EPSILON * 2);
    }),
  );
});

test('time: durations, never below nothing', () => {
  assert.deepEqual(durationOf([1, 900_000_000], [3, 100_000_000]), [1, 200_000_000]);
  assert.deepEqual(durationOf([1, 5], [1, 5]), [0, 0]);
  assert.deepEqual(durationOf([1, 6], [1, 5]), [0, 0]);
});

test('time: instants from 1970 to 2554', () => {
  assert.equal(millisOf(0), 0);
  assert.equal(millisOf(new Date(7)), 7);
  for (const none of [18_446_744_073_000, -0.1, '7', undefined, null, new Date(Number.NaN), {}]) {
    assert.equal(millisOf(none), undefined);
  }
});
