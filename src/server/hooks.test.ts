import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PageLedger } from '../protocol.js';
import { ingestHarness } from '../testing/ingest-harness.js';
import { storageDown } from '../testing/memory-storage.js';

const LEDGER: PageLedger = {
  id: '0190a5b0-7c3e-7cc3-98c4-dc0c0c07398f',
  sealed: 0,
  created: 0,
  adopted: 0,
  stored: 0,
  waiting: 0,
  dropped: 0,
  handedOver: 0,
};

test('hooks: losses are handed on as they are', async () => {
  const told: Record<string, number>[] = [];
  const { exchange } = ingestHarness({ onLost: (lost) => told.push(lost) });
  await exchange({});
  await exchange({ lost: { 'outbox-full': 3, constructor: 1 } });
  assert.deepEqual(told, [{ 'outbox-full': 3, constructor: 1 }]);
});

test('hooks: failing hooks cost nobody an answer and are reported', async () => {
  const { exchange, errors } = ingestHarness({
    onPage: () => Promise.reject(new Error('page')),
    onLost: () => {
      throw new Error('lost');
    },
    config: () => Promise.reject(new Error('config')),
  });
  const answer = await exchange({ page: LEDGER, lost: { paused: 1 } });
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.body.config, { paused: false, rules: [] });
  assert.deepEqual(errors.map(String).sort(), ['Error: config', 'Error: lost', 'Error: page']);
});

// What a hook can do instead of taking its receipts: reject, throw, hang, be asked with uploads, renewals, questions or
// losses beside them. With `waitUntil` it is not waited for.
const NOT_TAKEN: Record<string, () => unknown> = {
  rejects: () => Promise.reject(new Error('down')),
  throws: () => {
    throw new Error('down');
  },
  hangs: () => new Promise(() => {}),
};
for (const [how, fail] of Object.entries(NOT_TAKEN)) {
  test(`hooks: receipts come again until onStored has taken them, and nothing is spent: it ${how}`, async () => {
    let isDown = true;
    const taken: string[] = [];
    const lost: unknown[] = [];
    const { exchange, issue, errors, storage } = ingestHarness({
      hookTimeoutMillis: 20,
      onStored: (receipts) => (isDown ? fail() : taken.push(...receipts.map(({ key }) => key))),
      onLost: (losses) => lost.push(losses),
    });
    const { key, token } = await issue();
    const stored = [{ key, token, spanCount: 1, bytes: 1, traces: [] }];
    const calls = storage.calls.length;
    const beside = { want: 2, renew: [token], confirm: [token], lost: { paused: 1 }, page: LEDGER };
    for (const said of [{ stored }, { stored, ...beside }]) {
      const { status, body } = await exchange(said);
      assert.deepEqual([status, body.error?.code], [500, 'internal']);
    }
    assert.deepEqual([errors.length, lost.length, storage.calls.length - calls], [2, 0, 0]);
    isDown = false;
    assert.equal((await exchange({ stored, ...beside })).body.uploads.length, 3);
    assert.deepEqual([taken, lost], [[key], [{ paused: 1 }]]);
  });
}

test('hooks: with waitUntil nobody waits for onStored, whatever it does', async () => {
  for (const fail of Object.values(NOT_TAKEN)) {
    const { exchange, issue } = ingestHarness({ onStored: fail, waitUntil: () => {}, hookTimeoutMillis: 20 });
    const { key, token } = await issue();
    const stored = [{ key, token, spanCount: 1, bytes: 1, traces: [] }];
    assert.equal((await exchange({ stored, want: 1 })).status, 200);
  }
});

test('hooks: a failing onError costs nobody an answer either', async () => {
  const failing = [
    () => {
      throw new Error('sync');
    },
    () => Promise.reject(new Error('async')),
  ];
  for (const onError of failing) {
    const { exchange, storage } = ingestHarness({ onError });
    storage.failure = storageDown();
    assert.equal((await exchange({ want: 1 })).status, 502);
  }
});

test('hooks: with waitUntil the answer does not wait for the hooks', async () => {
  const { promise, resolve } = deferred();
  const waiting: Promise<unknown>[] = [];
  const { exchange } = ingestHarness({ onLost: () => promise, waitUntil: (task) => waiting.push(task) });
  assert.equal((await exchange({ lost: { paused: 1 } })).status, 200);
  resolve();
  assert.equal(waiting.length, 1);
  await waiting[0];
});

test('hooks: without waitUntil the answer waits for the hooks', async () => {
  const { promise, resolve } = deferred();
  const order: string[] = [];
  const { exchange } = ingestHarness({
    onLost: () => promise.then(() => order.push('told')),
  });
  const answered = exchange({ lost: { paused: 1 } }).then(() => order.push('answered'));
  setImmediate(resolve);
  await answered;
  assert.deepEqual(order, ['told', 'answered']);
});

test('hooks: a failed exchange has told nothing', async () => {
  const { exchange, storage } = ingestHarness({ onLost: () => assert.fail('told') });
  storage.failure = storageDown();
  assert.equal((await exchange({ want: 1, lost: { paused: 1 } })).status, 502);
});

test('hooks: Retry-After is whole seconds from one to a day, whatever the limiter says', async () => {
  const cases = [
    [0.2, '1'],
    [-5, '1'],
    [Number.NaN, '1'],
    [2.1, '3'],
    [Number.POSITIVE_INFINITY, '86400'],
  ] as const;
  for (const [retryAfterSeconds, header] of cases) {
    const { exchange } = ingestHarness({ rateLimit: () => ({ retryAfterSeconds }) });
    const { status, headers } = await exchange({ want: 1 });
    assert.deepEqual([status, headers.get('retry-after')], [429, header]);
  }
});

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
