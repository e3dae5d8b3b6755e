import { expect, expectLedgerHeld, makeTraces, NO_OTHERS, type Site, test } from './support/fixtures.js';

/** Browsers log each failed request by themselves; these tests make them fail. */
const FAILED_UPLOAD =
  /Failed to load resource.*\/s3\/|\/s3\/.*blocked by CORS policy|Cross-Origin Request Blocked.*\/s3\//;
const FAILED_EXCHANGE = /Failed to load resource.*\/spandrel/;

const puts = (site: Site) => site.mock.requests.list('bucket').filter(({ method }) => method === 'PUT');

/** A store whose errors a page may read, as S3's and MinIO's, and R2's on some paths. */
const readableErrors = (site: Site): void =>
  site.mock.setCors({
    errorsWithoutCors: false,
    rules: [
      {
        AllowedOrigins: [site.host.origin],
        AllowedMethods: ['PUT'],
        AllowedHeaders: ['content-type', 'if-none-match'],
        ExposeHeaders: ['ETag', 'Retry-After'],
      },
    ],
  });

test('expired URL: asked for again, and stored once under the same key', async ({
  page,
  site,
  allowConsole,
}) => {
  allowConsole(FAILED_UPLOAD);
  readableErrors(site);
  await site.open(page);
  site.mock.faults.set('bucket', { kind: 'clock', shiftMillis: 3_600_000, times: 1 });
  await makeTraces(page, ['late']);
  await site.expectStored(['late']);
  expect(puts(site).map(({ status }) => status)).toEqual([403, 200]);
  expect(new Set(puts(site).map(({ key }) => key)).size).toBe(1);
  await expectLedgerHeld(page);
});

test('expired URL, and a store that hides its errors: stored once under the same key', async ({
  page,
  site,
  allowConsole,
}) => {
  allowConsole(FAILED_UPLOAD);
  await site.open(page);
  site.mock.faults.set('bucket', { kind: 'clock', shiftMillis: 3_600_000 });
  await makeTraces(page, ['late']);
  await site.expectStored(['late']);
  expect((await site.objects()).map(({ key }) => key)).toEqual([puts(site)[0]?.key]);
  await expectLedgerHeld(page);
});

test('429 with Retry-After: no upload before it has passed, then all', async ({
  page,
  site,
  allowConsole,
}) => {
  allowConsole(FAILED_UPLOAD);
  readableErrors(site);
  await site.open(page, { maxTracesPerBlob: 1 });
  site.mock.faults.set('bucket', { kind: 'status', status: 429, retryAfter: 2, times: 1 });
  await makeTraces(page, ['first']);
  await expect.poll(() => puts(site).map(({ status }) => status)).toEqual([429]);
  await makeTraces(page, ['second', 'third']);
  await site.expectStored(['first', 'second', 'third']);
  // By the store's own clock: it answered after the first arrival, so the page's wait began later still.
  const [refused, next] = puts(site);
  expect((next?.atMillis ?? 0) - (refused?.atMillis ?? 0)).toBeGreaterThanOrEqual(2_000);
  await expectLedgerHeld(page);
});

for (const readable of [true, false]) {
  test(`503 ${readable ? '' : 'without CORS headers '}three times: stored once in the end`, async ({
    page,
    site,
    allowConsole,
  }) => {
    allowConsole(FAILED_UPLOAD);
    if (readable) readableErrors(site);
    await site.open(page);
    site.mock.faults.set('bucket', { kind: 'status', status: 503, times: 3 });
    await makeTraces(page, ['a', 'b']);
    await site.expectStored(['a', 'b']);
    await expectLedgerHeld(page);
  });
}

test('bucket down, for the endpoint too: everything waits, and goes once it is up', async ({
  page,
  site,
  allowConsole,
}) => {
  allowConsole(FAILED_UPLOAD, FAILED_EXCHANGE);
  site.allowTroubles(/the store did not answer HEAD/);
  await site.open(page);
  site.mock.faults.set('bucket', { kind: 'down' });
  site.mock.faults.set('store', { kind: 'down' });
  await makeTraces(page, ['a', 'b'], 1);
  // It may be there: the endpoint looks before it signs again, and cannot.
  await page.waitForFunction(() => {
    const { requests, pool } = globalThis.spandrel.instance?.stats() ?? {};
    return requests?.uploadFailures && pool?.empty;
  });
  const down = await page.evaluate(() => globalThis.spandrel.instance?.stats().spans);
  expect(down).toEqual({ ...NO_OTHERS, created: 4, stored: 0, waiting: 4, dropped: {} });
  site.mock.faults.clear();
  await site.expectStored(['a', 'a child 1', 'b', 'b child 1']);
  await page.waitForFunction(() => globalThis.spandrel.instance?.stats().spans.stored === 4);
  await expectLedgerHeld(page);
});

test('bucket host blocked for the page: the endpoint relays', async ({ page, site, allowConsole }) => {
  allowConsole(FAILED_UPLOAD);
  await page.route(`${site.mock.bucketOrigin}/**`, (route) => route.abort('blockedbyclient'));
  await site.open(page);
  await makeTraces(page, ['a']);
  await site.expectStored(['a']);
  await makeTraces(page, ['b']);
  await site.expectStored(['a', 'b']);
  expect(puts(site)).toEqual([]);
  const stats = await page.evaluate(() => globalThis.spandrel.instance?.stats());
  expect(stats?.errors.map(({ kind }) => kind)).toContain('bucket-blocked');
  await expectLedgerHeld(page);
});

test('endpoint down: everything waits, and goes once it is up', async ({ page, site, allowConsole }) => {
  allowConsole(FAILED_EXCHANGE);
  site.mock.faults.set('endpoint', { kind: 'status', status: 503 });
  await site.open(page);
  await makeTraces(page, ['a', 'b']);
  await page.waitForFunction(() => {
    const { exchangeFailures = 0 } = globalThis.spandrel.instance?.stats().requests ?? {};
    return exchangeFailures >= 2;
  });
  const down = await page.evaluate(() => globalThis.spandrel.instance?.stats().spans);
  expect(down).toEqual({ ...NO_OTHERS, created: 2, stored: 0, waiting: 2, dropped: {} });
  site.mock.faults.clear();
  await site.expectStored(['a', 'b']);
  await expectLedgerHeld(page);
});

test('endpoint hears 429 with Retry-After: it is not asked before', async ({ page, site, allowConsole }) => {
  allowConsole(FAILED_EXCHANGE);
  site.mock.faults.set('endpoint', { kind: 'status', status: 429, retryAfter: 2, times: 1 });
  await site.open(page);
  await makeTraces(page, ['a']);
  await site.expectStored(['a']);
  const [refused, next] = site.mock.requests.list('endpoint');
  expect(refused?.status).toBe(429);
  expect((next?.atMillis ?? 0) - (refused?.atMillis ?? 0)).toBeGreaterThanOrEqual(2_000);
});

test('connection reset in the middle of the body: sent again, stored once', async ({
  page,
  site,
  allowConsole,
}) => {
  allowConsole(FAILED_UPLOAD);
  await site.open(page);
  site.mock.faults.set('bucket', { kind: 'reset', afterBytes: 100, times: 1 });
  await makeTraces(page, ['a'], 100);
  await expect.poll(async () => (await site.spans()).length).toBe(101);
  expect(site.mock.faults.current().bucket).toBe(null);
  await expectLedgerHeld(page);
});

for (const connection of ['fresh', 'reused']) {
  test(`answer lost after the object was stored, on a ${connection} connection: not stored twice`, async ({
    page,
    site,
    allowConsole,
  }) => {
    allowConsole(FAILED_UPLOAD);
    readableErrors(site);
    await site.open(page);
    const before = connection === 'fresh' ? [] : ['before'];
    if (before.length) await makeTraces(page, before);
    await site.expectStored(before);
    site.mock.faults.set('bucket', { kind: 'lost-answer', times: 1 });
    await makeTraces(page, ['a']);
    const created = before.length + 1;
    await page.waitForFunction((count) => {
      return globalThis.spandrel.instance?.stats().spans.stored === count;
    }, created);
    expect(site.mock.faults.current().bucket).toBe(null);
    await site.expectStored([...before, 'a']);
    // A browser may put it again by itself; we ask the endpoint, which looks.
    const [first, ...again] = puts(site)
      .slice(before.length)
      .map(({ status }) => status);
    expect(first).toBe(0);
    expect(again.filter((status) => status !== 412)).toEqual([]);
    await expectLedgerHeld(page);
  });
}
