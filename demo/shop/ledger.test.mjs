import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeAge, describeCompression, describeStorage, readLedger } from './ledger.mjs';

const ledger = (spans) => readLedger({ spans });

test('ledger: every span that ended has a place', () => {
  const { sources, places, balanced } = ledger({
    created: 10,
    stored: 5,
    waiting: 2,
    dropped: { 'buffer-full': 1, rejected: 2 },
  });
  assert.deepEqual(sources, [{ name: 'created', label: 'ended', count: 10 }]);
  assert.deepEqual(
    places.map(({ name, count, percent }) => [name, count, percent]),
    [
      ['stored', 5, 50],
      ['waiting', 2, 20],
      ['dropped', 3, 30],
    ],
  );
  assert.equal(balanced, true);
});

test('ledger: what came from other pages, and what went to them, has a place too', () => {
  const spans = { created: 6, adopted: 4, stored: 5, waiting: 2, dropped: { rejected: 2 }, handedOver: 1 };
  const { sources, places, balanced } = ledger(spans);
  assert.deepEqual(
    sources.map(({ name, count }) => [name, count]),
    [
      ['created', 6],
      ['adopted', 4],
    ],
  );
  assert.deepEqual(
    places.map(({ name, percent }) => [name, percent]),
    [
      ['stored', 50],
      ['waiting', 20],
      ['dropped', 20],
      ['handed-over', 10],
    ],
  );
  assert.equal(balanced, true);
  for (const name of ['created', 'adopted', 'stored', 'waiting', 'handedOver']) {
    assert.equal(ledger({ ...spans, [name]: spans[name] + 1 }).balanced, false, name);
  }
});

test('ledger: says what waiting spans are safe from, once the SDK tells', () => {
  assert.equal(describeStorage(undefined), undefined);
  assert.match(describeStorage({ kind: 'durable', failures: 0 }), /outlive a reload or a crash\.$/);
  assert.match(describeStorage({ kind: 'memory', failures: 1 }), /are lost if .* Storage failed once\.$/);
  assert.match(describeStorage({ kind: 'durable', failures: 3 }), /failed 3 times\.$/);
});

test('ledger: says so when it does not balance', () => {
  assert.equal(ledger({ created: 10, stored: 5, waiting: 2, dropped: {} }).balanced, false);
});

test('ledger: nothing yet is no division by zero', () => {
  assert.ok(
    ledger({ created: 0, stored: 0, waiting: 0, dropped: {} }).places.every(({ percent }) => percent === 0),
  );
  assert.equal(describeCompression({ raw: 0, gzip: 0 }), 'nothing yet');
  assert.equal(describeCompression({ raw: 8800, gzip: 1400 }), '8.8 kB → 1.4 kB, 6.3 times smaller');
});

test('ledger: ages are worded', () => {
  const ages = [-500, 2000, 12_000, 180_000].map((age) => describeAge(1_000_000, 1_000_000 + age));
  assert.deepEqual(ages, ['just now', 'just now', '12 s ago', '3 min ago']);
});
