import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMarks } from './sampling-marks.js';

const MINUTE = 60_000;

function setUp() {
  const clock = { now: 0 };
  return { clock, marks: createMarks(() => clock.now) };
}

test('marks: remembered for 5 minutes from the last word', () => {
  const { clock, marks } = setUp();
  marks.set('kept', true, undefined);
  marks.set('dropped', false, undefined);
  assert.deepEqual([marks.get('kept'), marks.get('dropped'), marks.get('other')], [true, false, undefined]);
  clock.now = 4 * MINUTE;
  marks.ended('kept', 'any');
  clock.now = 5 * MINUTE + 1;
  assert.deepEqual([marks.get('kept'), marks.get('dropped')], [true, undefined]);
  clock.now = 9 * MINUTE + 1;
  assert.equal(marks.get('kept'), undefined);
  assert.equal(marks.count, 0);
});

test('marks: as long as the owner is open, whatever else ends', () => {
  const { clock, marks } = setUp();
  marks.set('trace', true, 'owner');
  marks.ended('trace', 'child');
  clock.now = 60 * MINUTE;
  assert.equal(marks.get('trace'), true);
  marks.ended('trace', 'owner');
  clock.now += 5 * MINUTE;
  assert.equal(marks.get('trace'), true);
  clock.now += 1;
  assert.equal(marks.get('trace'), undefined);
});

test('marks: 10,000 at most; then what is over goes, else the oldest tenth, counted', () => {
  const { clock, marks } = setUp();
  for (let index = 0; index < 10_000; index++)
    marks.set(`t${index}`, true, index === 0 ? 'owner' : undefined);
  assert.deepEqual([marks.count, marks.forgotten], [10_000, 0]);
  marks.set('one more', true, undefined);
  assert.deepEqual([marks.count, marks.forgotten], [9_001, 1_000]);
  assert.deepEqual([marks.get('t999'), marks.get('t1000'), marks.get('one more')], [undefined, true, true]);
  clock.now = 6 * MINUTE;
  for (let index = 0; index < 1_000; index++) marks.set(`u${index}`, true, undefined);
  assert.deepEqual([marks.count, marks.forgotten], [1_000, 1_000]);
  assert.equal(marks.get('one more'), undefined);
});
