import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type IngestHarness, ingestHarness, NOW_MILLIS } from '../testing/ingest-harness.js';
import type { IngestOptions } from './ingest-options.js';
import { memoryQuota } from './memory-quota.js';
import type { QuotaOptions, QuotaTake } from './quota.js';
import { uuidV7 } from './uuid.js';

const BYTES = new Uint8Array(gzipSync('{"resourceSpans":[]}'));
const PAGE = '0190a5b0-7c3e-7cc3-98c4-dc0c0c07398f';
const OTHER = '0190a5b0-7c3e-7cc3-98c4-dc0c0c073990';
const ledgerOf = (id: string) => ({
  id,
  ...{ sealed: 0, created: 0, adopted: 0, stored: 0, waiting: 0, dropped: 0, handedOver: 0 },
});

/** An endpoint with a quota in memory, by one clock. */
function quotaHarness(
  quota: Omit<QuotaOptions, 'store'>,
  options: Partial<IngestOptions> = {},
  exact = false,
): IngestHarness {
  let harness: IngestHarness | undefined;
  const store = memoryQuota({ now: () => harness?.clock.nowMillis ?? NOW_MILLIS });
  harness = ingestHarness({ quota: { store, ...quota }, ...options });
  if (exact) Object.assign(harness.storage, { uploadLength: 'exact' });
  return harness;
}

test('quota: gives what is left, then says when there is more, and gives again', async () => {
  const { exchange, clock, storage } = quotaHarness({ perProject: { objects: 5 }, windowSeconds: 600 });
  const first = await exchange({ want: 3 });
  assert.equal(first.body.uploads.length, 3);
  assert.equal(first.headers.get('retry-after'), null);
  clock.nowMillis += 60_500;
  const second = await exchange({ want: 3 });
  assert.deepEqual([second.status, second.body.uploads.length], [200, 2]);
  assert.equal(second.headers.get('retry-after'), '540');
  const third = await exchange({ want: 3 });
  assert.deepEqual([third.status, third.body.error.code], [429, 'rate_limited']);
  assert.equal(third.headers.get('retry-after'), '540');
  assert.equal(storage.calls.length, 5);
  clock.nowMillis += 539_500;
  assert.equal((await exchange({ want: 3 })).body.uploads.length, 3);
});

test('quota: receipts, questions and losses are taken also when nothing can be given', async () => {
  const told: unknown[] = [];
  const { exchange, issue } = quotaHarness(
    { perProject: { objects: 1 } },
    {
      onStored: (receipts) => told.push(receipts.length),
      onLost: (lost) => told.push(lost),
      onPage: ({ id }) => told.push(id),
    },
  );
  const { key, token } = await issue();
  const receipt = { key, token, spanCount: 1, bytes: 1, traces: [] };
  const asked = { stored: [receipt], confirm: [token], lost: { paused: 2 }, page: ledgerOf(PAGE) };
  const { status, body, headers } = await exchange({ want: 2, ...asked });
  assert.deepEqual([status, body.uploads, body.confirmed], [200, [], [{ token, stored: false }]]);
  assert.equal(headers.get('retry-after'), '3600');
  assert.deepEqual(told, [1, PAGE, { paused: 2 }]);
  for (const one of [{ stored: [receipt] }, { confirm: [token] }, { lost: { paused: 1 } }]) {
    assert.equal((await exchange({ want: 1, ...one })).status, 200, JSON.stringify(one));
  }
  assert.equal((await exchange(asked)).headers.get('retry-after'), null, 'nothing was wanted');
  told.length = 0;
  assert.equal((await exchange({ want: 1, page: ledgerOf(PAGE) })).status, 429);
  assert.deepEqual(told, [PAGE]);
});

test('quota: pages, projects and subjects have budgets of their own', async () => {
  const { exchange } = quotaHarness(
    {
      perPage: { objects: 2 },
      perProject: { objects: 7 },
      perSubject: { objects: 4, of: (request) => request.headers.get('x-tenant') ?? undefined },
    },
    { projects: ['a', 'b'] },
  );
  const given = async (project: string, page?: string, tenant?: string) => {
    const { body } = await exchange(
      { project, want: 8, ...(page ? { page: ledgerOf(page) } : {}) },
      tenant ? { 'x-tenant': tenant } : {},
    );
    return body.uploads?.length ?? 0;
  };
  assert.equal(await given('a', PAGE, 't'), 2);
  assert.equal(await given('a', PAGE, 't'), 0);
  assert.equal(await given('a', OTHER, 't'), 2);
  assert.equal(await given('a', undefined, 't'), 0);
  assert.equal(await given('b', undefined, 't'), 4, 'a tenant of another project is another');
  assert.equal(await given('a'), 3);
  assert.equal(await given('a', undefined, 'u'), 0);
});

test('quota: lengths count where they are signed, and only there', async () => {
  const signed = quotaHarness({ perProject: { bytes: 10_000 } }, { maxUploadBytes: 65_536 }, true);
  const { body } = await signed.exchange({ want: 3, sizes: [6_000, 5_000, 4_000] });
  assert.deepEqual(
    body.uploads.map(({ bytes }) => bytes),
    [6_000, 4_000],
  );
  assert.equal((await signed.exchange({ want: 1, sizes: [64] })).status, 429);

  const unsigned = quotaHarness({ perProject: { bytes: 10_000 } });
  assert.equal((await unsigned.exchange({ want: 8, sizes: [60_000] })).body.uploads.length, 8);
});

test('quota: a range counts as the most that it takes', async () => {
  const { exchange, storage } = quotaHarness({ perProject: { bytes: 10_000 } }, { maxUploadBytes: 9_000 });
  Object.assign(storage, { uploadLength: 'range' });
  assert.equal((await exchange({ want: 8 })).body.uploads.length, 1);
});

test('quota: renewals cost their lengths and no object; where they do not fit, all of it comes again', async () => {
  const told: string[] = [];
  const { exchange, issue, send, clock } = quotaHarness(
    { perProject: { objects: 3, bytes: 20_000 } },
    {
      maxUploadBytes: 65_536,
      onStored: () => told.push('stored'),
      onLost: () => told.push('lost'),
    },
    true,
  );
  const [{ key, token }, other] = [await issue(), await issue()];
  const { status, body } = await exchange({ renew: [token], sizes: [9_000] });
  assert.deepEqual([status, body.uploads.map((upload) => upload.key)], [200, [key]]);
  const stored = [{ key, token, spanCount: 1, bytes: 1, traces: [] }];
  // One of them would fit. But a client gives up what it gets no answer to.
  const over = { renew: [token, other.token], sizes: [2_000, 2_000], want: 1, stored, lost: { paused: 1 } };
  const refused = await exchange(over);
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '3600']);
  assert.deepEqual(told, ['stored'], 'a loss that is told twice counts twice');
  assert.equal(
    (await exchange({ want: 1, sizes: [2_000] })).body.uploads.length,
    1,
    'nothing was taken for it',
  );
  assert.equal(
    (await send({ query: `?relay=${token}`, body: BYTES })).status,
    200,
    'relays take other bytes',
  );
  clock.nowMillis += 3_600_000;
  assert.equal((await exchange(over)).body.uploads.length, 3);
  assert.deepEqual(told, ['stored', 'stored', 'lost']);
});

/** What a visitor can make us spend, and what it costs: in turn until its own budget refuses. */
const CHARGES: Record<string, (harness: IngestHarness, tokens: string[], page?: string) => Promise<number>> =
  {
    'fresh uploads': async ({ exchange }, _, page) =>
      (await exchange({ want: 8, sizes: Array(8).fill(65_536), ...pageOf(page) }, EVIL)).body.uploads
        ?.length ?? 0,
    renewals: async ({ exchange }, renew, page) =>
      (await exchange({ renew, sizes: renew.map(() => 65_536), ...pageOf(page) }, EVIL)).body.uploads
        ?.length ?? 0,
    'renewals beside fresh uploads': async ({ exchange }, renew, page) =>
      (await exchange({ renew, want: 8, sizes: Array(12).fill(65_536), ...pageOf(page) }, EVIL)).body.uploads
        ?.length ?? 0,
    'relays by token': async ({ send }, [token]) =>
      (await send({ query: `?relay=${token}`, body: BYTES, headers: EVIL })).status === 200 ? 1 : 0,
    'relays without one': async ({ send }) =>
      (await send({ query: `?relay=&blob=${uuidV7(NOW_MILLIS, random())}`, body: BYTES, headers: EVIL }))
        .status === 200
        ? 1
        : 0,
    'relays of rubbish': async ({ send }) =>
      (await send({ query: `?relay=&blob=${uuidV7(NOW_MILLIS, random())}`, body: RUBBISH, headers: EVIL }))
        .status === 200
        ? 1
        : 0,
    'receipts and questions': async ({ exchange }, [token = ''], page) => {
      const stored = [{ key: 'k', token, spanCount: 1, bytes: 1e9, traces: [] }];
      await exchange({ stored, confirm: [token], ...pageOf(page) }, EVIL);
      return 0;
    },
  };
const EVIL = { 'x-visitor': 'evil' };
const RUBBISH = new Uint8Array(gzipSync('{"resourceSpans":7}'));
const random = () => crypto.getRandomValues(new Uint8Array(10));
const pageOf = (page?: string) => (page ? { page: ledgerOf(page) } : {});
const of = (request: Request) => request.headers.get('x-visitor') ?? undefined;

for (const [charge, spend] of Object.entries(CHARGES)) {
  for (const own of ['perSubject', 'perPage'] as const) {
    // A relay names no page.
    if (own === 'perPage' && charge.startsWith('relays')) continue;
    test(`quota: what a visitor's own budget refuses is charged to nobody: ${charge}, ${own}`, async () => {
      const limits = { objects: 10, bytes: 400_000 };
      const harness = quotaHarness(
        {
          ...(own === 'perPage' ? { perPage: limits } : { perSubject: { ...limits, relayedBytes: 400, of } }),
          perProject: { objects: 20, bytes: 1_000_000, relayedBytes: 1_000 },
        },
        { maxUploadBytes: 65_536 },
        true,
      );
      const tokens = (await harness.exchange({ want: 4, sizes: [64, 64, 64, 64] })).body.uploads.map(
        ({ token }) => token,
      );
      for (let round = 0; round < 60; round += 1)
        await spend(harness, tokens, own === 'perPage' ? PAGE : undefined);
      const { body } = await harness.exchange({ want: 6, sizes: Array(6).fill(65_536) });
      assert.equal(body.uploads?.length, 6, 'others go on');
      const query = `?relay=${tokens[1]}`;
      assert.equal((await harness.send({ query, body: BYTES })).status, 200);
    });
  }
}

test('quota: relayed bytes count, and the object where no token was issued for it', async () => {
  const { send, issue, storage } = quotaHarness({
    perProject: { objects: 2, relayedBytes: 2 * BYTES.length },
  });
  const { token } = await issue();
  assert.equal((await send({ query: `?relay=${token}`, body: 'rubbish' })).status, 400);
  assert.equal((await send({ query: `?relay=${token}`, body: BYTES })).status, 200);
  const blob = (fill: number) => `?relay=&blob=${uuidV7(NOW_MILLIS, new Uint8Array(10).fill(fill))}`;
  assert.equal((await send({ query: blob(1), body: BYTES })).status, 200);
  const over = await send({ query: blob(2), body: BYTES });
  assert.deepEqual([over.status, over.body.error.code], [429, 'rate_limited']);
  assert.equal(over.headers.get('retry-after'), '3600');
  assert.equal(storage.objects.size, 2);

  const objects = quotaHarness({ perProject: { objects: 1 } });
  assert.equal((await objects.send({ query: blob(1), body: BYTES })).status, 200);
  assert.equal((await objects.send({ query: blob(2), body: BYTES })).status, 429);
});

test('quota: while its store fails or hangs nothing is handed out, or everything, as the operator says', async () => {
  const failing = [
    () => Promise.reject(new Error('down')),
    () => new Promise<never>(() => {}),
    () => {
      throw new Error('sync');
    },
    async () => undefined as never,
  ];
  for (const take of failing) {
    const quota = { store: { take }, perProject: { objects: 1 }, timeoutMillis: 20 };
    const closed = ingestHarness({ quota });
    const { status, headers } = await closed.exchange({ want: 1 });
    assert.deepEqual([status, headers.get('retry-after')], [429, '30']);
    assert.equal(closed.errors.length, 1);
    const open = ingestHarness({ quota: { ...quota, onFailure: 'allow' } });
    assert.equal((await open.exchange({ want: 3 })).body.uploads.length, 3);
    assert.equal(open.errors.length, 1);
    const { token } = await ingestHarness().issue();
    const renewed = await closed.exchange({ renew: [token], want: 1 });
    assert.deepEqual([renewed.status, renewed.body.uploads.length], [200, 1]);
    assert.equal((await closed.send({ query: `?relay=${token}`, body: BYTES })).status, 429);
    assert.equal((await open.send({ query: `?relay=${token}`, body: BYTES })).status, 200);
  }
});

test('quota: a subject that throws is a failure; one that is undefined counts for nobody', async () => {
  const store = memoryQuota();
  const of = () => {
    throw new Error('broken');
  };
  const broken = ingestHarness({ quota: { store, perSubject: { objects: 9, of } } });
  assert.equal((await broken.exchange({ want: 1 })).status, 429);
  const nobody = ingestHarness({ quota: { store, perSubject: { objects: 0, of: () => undefined } } });
  assert.equal((await nobody.exchange({ want: 1 })).status, 200);
});

test('quota: what the store is told of a subject is not the subject', async () => {
  const takes: QuotaTake[] = [];
  const store = {
    take: async (take: QuotaTake) => {
      takes.push(take);
      return { granted: [true], retryAfterSeconds: 0 };
    },
  };
  const { exchange } = ingestHarness({ quota: { store, perSubject: { objects: 1, of: () => '192.0.2.7' } } });
  await exchange({ want: 1 });
  await exchange({ want: 1 });
  assert.match(takes[0]?.budgets[0]?.name ?? '', /^subject [0-9a-f]{32}$/);
  assert.equal(takes[0]?.budgets[0]?.name, takes[1]?.budgets[0]?.name);
  assert.doesNotMatch(JSON.stringify(takes), /192/);
});

test('quota: nothing is asked of the store where nothing is wanted', async () => {
  const { exchange } = ingestHarness({
    quota: { store: { take: () => assert.fail('asked') }, perProject: { objects: 0 } },
    config: () => ({ paused: true, rules: [] }),
  });
  assert.equal((await exchange({ lost: { paused: 1 } })).status, 200);
  assert.equal((await exchange({ want: 3 })).status, 200);
});

test('quota: what the limiter refuses is charged to nobody: uploads, renewals and relays of both protocols', async () => {
  const { token } = await ingestHarness().issue();
  const { send } = ingestHarness({
    rateLimit: () => ({ retryAfterSeconds: 5 }),
    quota: {
      store: { take: () => assert.fail('asked') },
      perProject: { objects: 9, bytes: 9, relayedBytes: 9 },
    },
  });
  const id = uuidV7(NOW_MILLIS, random());
  for (const asked of [
    { body: JSON.stringify({ v: 1, want: 3, renew: [token] }) },
    { body: JSON.stringify({ v: 2, wants: [{ id, bytes: 9 }] }) },
    ...[token, `&blob=${id}`, id].map((relay) => ({ query: `?relay=${relay}`, body: BYTES })),
  ]) {
    assert.equal((await send(asked)).status, 429);
  }
});
