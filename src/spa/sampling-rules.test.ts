import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testOrigin } from '../testing/origin.js';
import { testPlatform } from '../testing/platform.js';
import { createRules, type Rules } from './sampling-rules.js';

const HALF = `${'a'.repeat(16)}7fffffffffffffff`;
const RULE = { id: 'r', match: { 'url.template': '/cart' }, rate: 0.5 };
const CART = { 'url.template': '/cart' };

function setUp(origin = testOrigin(), place = 'https://app.test/spandrel') {
  const platform = testPlatform();
  return { origin, platform, rules: createRules({ platform, notes: () => origin.openNotes(), place }) };
}

function taken(...given: unknown[]): Rules {
  const { rules } = setUp();
  rules.take(given);
  return rules;
}

/** Last 8 bytes, rate, whether they are kept: the vectors of F24's arithmetic, computed with BigInt. */
const RATIOS: [string, number, boolean][] = [
  ['0000000000000000', 1e-300, true],
  ['7fffffffffffffff', 0.5, false], // rounds to exactly one half
  ['7ffffffffffffe00', 0.5, false], // so does this, to even
  ['7ffffffffffffdff', 0.5, true],
  ['8000000000000000', 0.5, false],
  ['199999999999999a', 0.1, false],
  ['1999999999999000', 0.1, true],
  ['ffffffffffffffff', 1, false], // exactly 1.0 as a double: lost even at rate 1
  ['fffffffffffffc00', 1, false],
  ['fffffffffffff000', 1, true],
];

for (const [tail, rate, isWon] of RATIOS) {
  test(`rules: …${tail} against ${rate} is ${isWon ? 'won' : 'lost'}`, () => {
    const ratio = Number(BigInt(`0x${tail}`)) / 2 ** 64;
    assert.equal(ratio < rate, isWon, 'the vector itself');
    assert.equal(taken({ ...RULE, rate }).verdict('f'.repeat(16) + tail, CART)?.isWon, isWon);
  });
}

test('rules: in order; one that is lost goes on to the next, and the chance is the greatest of those that match', () => {
  const rules = taken(
    { ...RULE, id: 1, rate: 0.1 },
    { ...RULE, id: 2, match: { 'url.template': '/other' }, rate: 1 },
    { ...RULE, id: 3, rate: 0.6 },
    { ...RULE, id: 4, rate: 0.7 },
  );
  assert.deepEqual(rules.verdict(HALF, CART), { isWon: true, id: 3, probability: 0.7 });
  assert.deepEqual(rules.verdict('0'.repeat(32), CART), { isWon: true, id: 1, probability: 0.7 });
  assert.deepEqual(rules.verdict('f'.repeat(32), CART), { isWon: false, id: undefined, probability: 0.7 });
  assert.deepEqual(rules.verdict('0'.repeat(32), {}), { isWon: false, id: undefined, probability: 0 });
});

test('rules: every attribute must be equal, type and all', () => {
  const rules = taken({ id: 1, match: { 'url.template': '/cart', beta: true, build: 7 }, rate: 1 });
  const all = { ...CART, beta: true, build: 7, other: 'x' };
  assert.equal(rules.verdict(HALF, all)?.isWon, true);
  for (const wrong of [{ beta: 'true' }, { build: '7' }, { 'url.template': '/cart/' }]) {
    assert.equal(rules.verdict(HALF, { ...all, ...wrong })?.isWon, false);
  }
  assert.equal(taken({ ...RULE, match: { constructor: 'x' } }).verdict(HALF, {})?.isWon, false);
});

test('rules: none is no verdict; what the endpoint says replaces all before', () => {
  const { rules } = setUp();
  assert.equal(rules.verdict(HALF, CART), undefined);
  rules.take([RULE, RULE]);
  assert.equal(rules.count, 2);
  rules.take([]);
  assert.equal(rules.verdict(HALF, CART), undefined);
});

const BAD: unknown[] = [
  ...[null, undefined, 7, 'x', [], {}],
  ...[undefined, null, {}].map((id) => ({ ...RULE, id })),
  ...[undefined, null, {}, 'x', { a: '' }, { a: null }, { a: ['x'] }].map((match) => ({ ...RULE, match })),
  ...[undefined, 0, -1, 1.01, '0.5', Number.NaN].map((rate) => ({ ...RULE, rate })),
];

for (const bad of BAD) {
  test(`rules: ${JSON.stringify(bad)} is none, is counted, and spoils no other`, () => {
    const rules = taken(bad, RULE);
    assert.deepEqual([rules.count, rules.badCount], [1, 1]);
    assert.equal(rules.verdict('0'.repeat(32), CART)?.id, 'r');
  });
}

test('rules: what is no list is none; a hundred are used', () => {
  for (const given of [null, undefined, 7, 'rules', { 0: RULE }]) {
    const { rules } = setUp();
    rules.take(given);
    assert.equal(rules.count, 0);
  }
  const many = taken(...Array(103).fill(RULE));
  assert.deepEqual([many.count, many.badCount], [100, 3]);
});

test('rules: the next page has them before it hears anything, for its own endpoint alone', () => {
  const { origin, rules } = setUp();
  rules.take([RULE]);
  assert.equal(setUp(origin).rules.verdict('0'.repeat(32), CART)?.id, 'r');
  assert.equal(setUp(origin, 'https://app.test/other').rules.count, 0);
  rules.take([]);
  assert.equal(setUp(origin).rules.count, 0);
});

test('rules: notes that anybody may have written, that are full, or that there are not', () => {
  for (const text of ['', '{', 'null', '7', '{"rules":7}', '{"at":"x","rules":[null]}', '[]']) {
    const origin = testOrigin();
    origin.notes.set('spandrel-1 rules https://app.test/spandrel', text);
    const { rules } = setUp(origin);
    assert.equal(rules.count, 0, text);
    assert.equal(rules.isDue(), true, text);
  }
  const { origin, rules } = setUp();
  rules.take([RULE]);
  rules.take([{ ...RULE, id: 'x'.repeat(20_000) }]);
  assert.equal(origin.notes.size, 0, 'an old note must not outlive its successor');
  const without = createRules({ platform: testPlatform(), notes: () => undefined, place: '' });
  without.take([RULE]);
  assert.equal(without.count, 1);
});

test('rules: to be asked for once an hour, over pages, whatever the clock does', async () => {
  const { origin, platform, rules } = setUp();
  assert.equal(rules.isDue(), true);
  assert.equal(rules.isDue(), false);
  platform.jump(3_600_000);
  assert.equal(rules.isDue(), false);
  platform.jump(1);
  assert.equal(rules.isDue(), true);
  rules.take([]);
  assert.equal(setUp(origin).rules.isDue(), true, 'that page’s clock is an hour behind');
  const later = testPlatform({ nowMillis: platform.now() + 1_000 });
  const next = createRules({
    platform: later,
    notes: () => origin.openNotes(),
    place: 'https://app.test/spandrel',
  });
  assert.equal(next.isDue(), false);
});
