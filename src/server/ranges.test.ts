import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addToRanges, type NumberRange, subtractRanges } from './ranges.js';

const NO_LIMIT = Number.POSITIVE_INFINITY;

function rangesOf(values: Iterable<number>): NumberRange[] {
  const ranges: NumberRange[] = [];
  for (const value of values) addToRanges(ranges, value, NO_LIMIT);
  return ranges;
}

function valuesOf(ranges: readonly NumberRange[]): number[] {
  return ranges.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, at) => first + at));
}

const numbers = fc.array(fc.integer({ min: 1, max: 30 }));

test('ranges: hold what a set holds, in order, no two of them touching', () => {
  fc.assert(
    fc.property(numbers, (values) => {
      const ranges = rangesOf(values);
      assert.deepEqual(
        valuesOf(ranges),
        [...new Set(values)].sort((a, b) => a - b),
      );
      for (const [at, { first }] of ranges.slice(1).entries()) {
        assert.ok(first > (ranges[at]?.last ?? 0) + 1);
      }
    }),
  );
});

test('ranges: a difference is what a set has and another has not', () => {
  fc.assert(
    fc.property(numbers, numbers, (whole, taken) => {
      const left = subtractRanges(rangesOf(whole), rangesOf(taken));
      assert.deepEqual(
        valuesOf(left),
        valuesOf(rangesOf(whole)).filter((value) => !taken.includes(value)),
      );
    }),
  );
});

test('ranges: the greatest numbers there are cost no more than others', () => {
  const most = Number.MAX_SAFE_INTEGER;
  const ranges = rangesOf([1, most, most - 1]);
  assert.deepEqual(ranges, [
    { first: 1, last: 1 },
    { first: most - 1, last: most },
  ]);
  assert.deepEqual(subtractRanges([{ first: 1, last: most }], ranges), [{ first: 2, last: most - 2 }]);
});

test('ranges: when full, take what makes no further range', () => {
  const ranges = rangesOf([1, 5]);
  assert.equal(addToRanges(ranges, 3, 2), false);
  assert.equal(addToRanges(ranges, 9, 2), false);
  assert.deepEqual(ranges, rangesOf([1, 5]));
  for (const value of [5, 4, 6, 2, 3]) assert.equal(addToRanges(ranges, value, 2), true);
  assert.deepEqual(ranges, [{ first: 1, last: 6 }]);
});
