import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  describeAge,
  describeCompression,
  describeCuts,
  describeStorage,
  isAccident,
  readLedger,
} from './ledger.mjs';

/** @typedef {import('../../src/diagnostics/stats.js').Stats} Stats */

const ledger = (spans) =>
  readLedger(/** @type {Stats} */ ({ spans: { adopted: 0, handedOver: 0, ...spans } }));

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

// Each reason of stats().spans.dropped was tried on both sides: as what is lost, and as what was to be left out.
test('ledger: what was left out on purpose is not called lost', () => {
  const dropped = { consent: 28, redacted: 1, paused: 1, rejected: 2 };
  const { places, balanced } = ledger({ created: 32, stored: 0, waiting: 0, dropped });
  assert.deepEqual(
    places.map(({ name, count }) => [name, count]),
    [
      ['stored', 0],
      ['waiting', 0],
      ['dropped', 2],
      ['left-out', 30],
    ],
  );
  assert.equal(balanced, true);
  const all = ['buffer-full', 'outbox-full', 'too-old', 'unencodable', 'too-large', 'rejected', 'shutdown'];
  assert.deepEqual(
    [...all, ...Object.keys(dropped)].filter((reason) => !isAccident(reason)),
    ['consent', 'redacted', 'paused'],
  );
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

test('ledger: says where waiting spans are, and what an earlier page left', () => {
  const told = (spans, storage) =>
    describeStorage(
      /** @type {Stats} */ ({
        spans: { adopted: 0, waiting: 0, ...spans },
        storage: { durable: true, failures: 0, corrupt: 0, ...storage },
      }),
    );
  assert.match(told().join(), /^What waits is written down in this browser/);
  assert.match(told({}, { durable: false }).join(), /lost with the page\.$/);
  assert.match(told({}, { failures: 1 })[1], /^Storage failed once\.$/);
  assert.match(told({}, { corrupt: 2 })[1], /^2 records of an earlier page/);
  assert.match(told({ adopted: 1 })[0], /^An earlier page left 1 span behind\. .* over\.$/);
  assert.match(told({ adopted: 3, waiting: 5 })[0], /left 3 spans behind\. .* with its own\.$/);
});

test('ledger: says what to try, and that what waits goes out by itself', () => {
  const told = (bucket, endpoint, waiting = 0, durable = true) =>
    describeCuts({ bucket, endpoint }, { blobs: { waiting, inFlight: 0 }, storage: { durable } });
  assert.match(told(true, true), /then reload/);
  assert.doesNotMatch(told(true, true, 1, false), /reload/);
  assert.match(told(false, false, 1), /tried again by itself/);
  assert.equal(told(false, false), 'Everything is up.');
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
