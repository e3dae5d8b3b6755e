import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeEnd, describeOdds, describeVexation, pathOnly, plural, shortUser } from './wording.mjs';

test('wording: one, none, many', () => {
  const worded = [plural(1, 'activity'), plural(2, 'activity'), plural(0, 'trace'), plural(1_200, 'day')];
  assert.deepEqual(worded, ['1 activity', '2 activities', '0 traces', '1,200 days']);
});

test('wording: how many traces there were for one that is here', () => {
  assert.equal(describeOdds({ probability: 0.1, keptFor: '' }), '1 in 10 kept');
  assert.equal(describeOdds({ probability: 0.03, keptFor: '' }), '1 in 33.3 kept');
  assert.equal(describeOdds({ probability: 0.1, keptFor: 'error' }), 'kept: error');
});

test('wording: an end is told where it was none of its own', () => {
  assert.deepEqual(['quiet', 'superseded', 'leaving', ''].map(describeEnd), ['', '', 'page was left', '']);
});

test('wording: an address without its host, and what is no address as it is', () => {
  assert.equal(pathOnly('http://shop.test/a?b=1#c'), '/a?b=1#c');
  assert.equal(pathOnly('nowhere'), 'nowhere');
});

test('wording: what vexed, and a user', () => {
  const vexation = { target: 'button#buy', time: 1n, spanId: 's' };
  const words = [
    describeVexation({ ...vexation, kind: 'rage', count: 4 }),
    describeVexation({ ...vexation, kind: 'dead', count: 1 }),
  ];
  assert.deepEqual(words, [
    '4 clicks on button#buy in a hurry',
    '1 click on button#buy, and nothing happened',
  ]);
  assert.deepEqual([shortUser('u-42'), shortUser('a'.repeat(64))], ['u-42', `${'a'.repeat(12)}…`]);
});
