// What Workers alone have: a quota in a Durable Object, by either of its storages, and the platform's limiter.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Log, LogLevel, Miniflare } from 'miniflare';
import { bundle } from './runtimes.mjs';

const PAGE = '0190a5b0-7c3e-7cc3-98c4-dc0c0c07398f';
const OTHER = '0190a5b0-7c3e-7cc3-98c4-dc0c0c073990';

/** @param {import('node:test').TestContext} context @param {object} options */
async function start(context, options) {
  const miniflare = new Miniflare({
    cf: false,
    log: new Log(LogLevel.ERROR),
    compatibilityDate: '2026-04-01',
    modules: true,
    scriptPath: await bundle('quota-worker'),
    ...options,
  });
  context.after(() => miniflare.dispose());
  const origin = (await miniflare.ready).origin;
  return {
    /** @param {object} body @param {Record<string, string>} [headers] */
    async exchange(body, headers = {}) {
      const response = await fetch(origin, {
        method: 'POST',
        body: JSON.stringify({ v: 1, project: 'a', ...body }),
        headers,
      });
      return {
        status: response.status,
        retryAfter: Number(response.headers.get('retry-after')),
        count: (await response.json()).uploads?.length ?? 0,
      };
    },
    kept: async () => (await fetch(`${origin}/kept`)).json(),
  };
}

/** @param {string} id */
const pageOf = (id) => ({
  page: { id, sealed: 0, created: 0, adopted: 0, stored: 0, waiting: 0, dropped: 0, handedOver: 0 },
});
/** @param {{ count: number }[]} answers */
const sum = (answers) => answers.reduce((total, { count }) => total + count, 0);

for (const useSQLite of [true, false]) {
  const kind = useSQLite ? 'SQLite' : 'key-value';
  const durableObjects = { QUOTA: { className: 'QuotaObject', useSQLite } };

  test(`workers: a quota of ${kind} storage gives out exactly what there is`, {
    timeout: 60_000,
  }, async (context) => {
    const { exchange } = await start(context, { durableObjects, bindings: { WINDOW: 3_600 } });
    const ofPage = await Promise.all(
      Array.from({ length: 20 }, () => exchange({ want: 3, ...pageOf(PAGE) })),
    );
    assert.equal(sum(ofPage), 20);
    const ofOther = await Promise.all(
      Array.from({ length: 5 }, () => exchange({ want: 3, ...pageOf(OTHER) })),
    );
    assert.equal(sum(ofOther), 15);
    const ofAll = await Promise.all(Array.from({ length: 40 }, () => exchange({ want: 2 })));
    assert.equal(sum(ofAll), 15);
    const { status, retryAfter } = await exchange({ want: 1 });
    assert.equal(status, 429);
    assert.ok(retryAfter > 3_500 && retryAfter <= 3_600, String(retryAfter));
    assert.equal((await exchange({ project: 'b', want: 1 })).count, 1);
  });
}

test('workers: a quota keeps nothing past its window', { timeout: 60_000 }, async (context) => {
  // At once, as the shortest window is ten seconds.
  const played = [true, false].map(async (useSQLite) => {
    const durableObjects = { QUOTA: { className: 'QuotaObject', useSQLite } };
    const { exchange, kept } = await start(context, { durableObjects, bindings: { WINDOW: 10 } });
    await exchange({ want: 1, ...pageOf(PAGE) });
    const { names, alarmAtMillis } = await kept();
    assert.deepEqual(names, [`page ${PAGE}`, 'project']);
    assert.ok(alarmAtMillis > Date.now() && alarmAtMillis <= Date.now() + 10_000);
    while ((await kept()).names.length > 0) await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal((await kept()).alarmAtMillis, null);
    assert.equal((await exchange({ want: 50 })).count, 50);
  });
  await Promise.all(played);
});

test('workers: the platform’s limiter refuses, each project and address for itself', {
  timeout: 60_000,
}, async (context) => {
  const { exchange } = await start(context, {
    durableObjects: { QUOTA: 'QuotaObject' },
    ratelimits: { LIMITER: { namespace_id: '1001', simple: { limit: 3, period: 10 } } },
  });
  const from = (/** @type {string} */ ip) => ({ 'cf-connecting-ip': ip });
  const statuses = [];
  for (let times = 0; times < 5; times++) statuses.push(await exchange({ want: 1 }, from('192.0.2.1')));
  const refused = statuses.filter(({ status }) => status === 429);
  assert.equal(statuses[0]?.status, 200);
  // A window may end between two of them.
  assert.ok(refused.length >= 1 && refused.length <= 2, JSON.stringify(statuses));
  assert.equal(refused[0]?.retryAfter, 10);
  assert.equal((await exchange({ want: 1 }, from('192.0.2.2'))).status, 200);
  assert.equal((await exchange({ project: 'b', want: 1 }, from('192.0.2.1'))).status, 200);
});
