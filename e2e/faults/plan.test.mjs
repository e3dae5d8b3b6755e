import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planOf } from './plan.mjs';

const caseOf = (/** @type {string} */ name) => ({ name, title: name, play: async () => {} });
const GROUPS = {
  steady: [caseOf('steady')],
  leaving: [caseOf('leave-reload'), caseOf('leave-reload-h2')],
  outages: [caseOf('bucket-503')],
};
const pairsOf = (/** @type {string[]} */ ...args) =>
  planOf(args, GROUPS).pairs.map(({ one, engine }) => `${one.name} ${engine}`);

test('plan: every case in every engine five times, two browsers at a time, unless told otherwise', () => {
  const { pairs, repeat, workers, deadlineMillis } = planOf([], GROUPS);
  assert.equal(pairs.length, 12);
  assert.deepEqual({ repeat, workers, deadlineMillis }, { repeat: 5, workers: 2, deadlineMillis: 45_000 });
  assert.equal(planOf(['--repeat', '3'], GROUPS).repeat, 3);
});

test('plan: cases by group, by name, and by how their names begin', () => {
  const inFirefox = ['--engines', 'firefox', '--cases'];
  assert.deepEqual(pairsOf(...inFirefox, 'leaving'), ['leave-reload firefox', 'leave-reload-h2 firefox']);
  assert.deepEqual(pairsOf(...inFirefox, 'leave-reload-h2, steady'), [
    'steady firefox',
    'leave-reload-h2 firefox',
  ]);
  assert.deepEqual(pairsOf(...inFirefox, 'bucket'), ['bucket-503 firefox']);
});

test('plan: --ci is every case once in Chromium, and some in the others', () => {
  const { pairs, repeat } = planOf(['--ci'], GROUPS);
  assert.equal(repeat, 1);
  assert.deepEqual(
    pairs.filter(({ engine }) => engine === 'webkit').map(({ one }) => one.name),
    ['leave-reload', 'leave-reload-h2', 'bucket-503'],
  );
  assert.equal(pairs.filter(({ engine }) => engine === 'chromium').length, 4);
});

test('plan: says which argument is wrong', () => {
  assert.throws(
    () => planOf(['--engines', 'opera'], GROUPS),
    /--engines takes chromium, firefox, webkit, got opera/,
  );
  assert.throws(() => planOf(['--cases', 'none'], GROUPS), /--cases: .* none/);
  assert.throws(() => planOf(['--repeat', '0'], GROUPS), /--repeat takes a whole number from 1/);
  assert.throws(() => planOf(['--fast'], GROUPS), TypeError);
});
