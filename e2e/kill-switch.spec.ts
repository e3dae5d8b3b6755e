import { expect, expectLedgerHeld, makeTraces, NO_OTHERS, plainPage, test } from './support/fixtures.js';

test.use({ mockOptions: { ingest: { config: { paused: true, rules: [] } } } });

test('kill switch: the endpoint says stop; all is dropped and counted, and nothing goes any more', async ({
  page,
  site,
}) => {
  await site.open(page);
  await makeTraces(page, ['a', 'b'], 1);
  await page.waitForFunction(() => globalThis.spandrel.instance?.stats().state === 'paused');
  // From here on nothing is recorded, and nothing said to be sampled.
  await makeTraces(page, ['c'], 1);
  expect(await page.evaluate(() => globalThis.spandrel.instance?.flush())).not.toBe('stored');
  const stats = await page.evaluate(() => globalThis.spandrel.instance?.stats());
  expect(stats?.spans).toEqual({ ...NO_OTHERS, created: 4, stored: 0, waiting: 0, dropped: { paused: 4 } });
  await expectLedgerHeld(page);

  await page.goto(site.serve(plainPage()));
  // The one request that brought the word; the last beacon tells the loss, and carries no span.
  await expect.poll(() => site.lost()).toEqual([{ paused: 4 }]);
  expect(site.mock.requests.list('bucket')).toEqual([]);
  const relays = site.mock.requests.list('endpoint').filter(({ queryNames }) => queryNames.includes('relay'));
  expect(relays).toEqual([]);
  expect(await site.objects()).toEqual([]);
});
