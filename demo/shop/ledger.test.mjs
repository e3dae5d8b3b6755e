import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeAge, describeCompression, readLedger } from './ledger.mjs';

const ledger = (spans) => readLedger({ spans });

test('ledger: every span that ended has a place', () => {
  const { created, parts, balanced } = ledger({
    created: 10,
    stored: 5,
    waiting: 2,
    dropped: { 'buffer-full': 1, rejected: 2 },
  });
  assert.equal(created, 10);
  assert.deepEqual(
    parts.map(({ name, count, percent }) => [name, count, percent]),
    [
      ['stored', 5, 50],
      ['waiting', 2, 20],
      ['dropped', 3, 30],
    ],
  );
  assert.equal(balanced, true);
});

test('ledger: says so when it does not balance', () => {
  assert.equal(ledger({ created: 10, stored: 5, waiting: 2, dropped: {} }).balanced, false);
});

test('ledger: nothing yet is no division by zero', () => {
  assert.ok(
    ledger({ created: 0, stored: 0, waiting: 0, dropped: {} }).parts.every(({ percent }) => percent === 0),
  );
  assert.equal(describeCompression({ raw: 0, gzip: 0 }), 'nothing yet');
  assert.equal(describeCompression({ raw: 8800, gzip: 1400 }), '8.8 kB → 1.4 kB, 6.3 times smaller');
});

test('ledger: ages are worded', () => {
  const ages = [-500, 2000, 12_000, 180_000].map((age) => describeAge(1_000_000, 1_000_000 + age));
  assert.deepEqual(ages, ['just now', 'just now', '12 s ago', '3 min ago']);
});
