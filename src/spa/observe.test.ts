import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createQuota } from './observe.js';

test('quota: per activity, and the root says how many were too many', () => {
  const told: unknown[] = [];
  const activity = { endedAt: undefined, root: { setAttribute: (...args: unknown[]) => told.push(args) } };
  const other = { ...activity };
  const mayHave = createQuota(2, 'left_out');
  assert.deepEqual(
    [activity, activity, activity, activity, other].map((one) => mayHave(one as never)),
    [true, true, false, false, true],
  );
  assert.deepEqual(told, [
    ['left_out', 1],
    ['left_out', 2],
  ]);
});
