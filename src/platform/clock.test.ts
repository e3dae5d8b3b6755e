import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPageClock } from './clock.js';

function fakeScope() {
  const at = { wall: 1_000_000, monotonic: 500 };
  const scope = { performance: { now: () => at.monotonic }, Date: { now: () => at.wall } };
  return { at, scope: scope as never };
}

test('clock: a trace keeps its clock when the wall clock is set, and the next has a new one', () => {
  const { at, scope } = fakeScope();
  const clock = createPageClock(scope);
  const first = clock.anchor();
  assert.equal(first(500), 1_000_000);
  at.wall -= 60_000;
  at.monotonic += 10;
  assert.equal(first(510), 1_000_010);
  assert.equal(clock.wall(510), 1_000_010);
  const second = clock.anchor();
  assert.equal(second(510), 940_000);
  assert.equal(clock.wall(510), 940_000);
  assert.equal(first(510), 1_000_010);
});

test('clock: time away is what either clock says', () => {
  const { at, scope } = fakeScope();
  const asleep = createPageClock(scope).stopwatch();
  // Most machines stop the monotonic clock while they sleep.
  at.wall += 8_000;
  assert.equal(asleep(), 8_000);
  const goesOn = createPageClock(scope).stopwatch();
  at.monotonic += 9_000;
  at.wall -= 5_000;
  assert.equal(goesOn(), 9_000);
});
