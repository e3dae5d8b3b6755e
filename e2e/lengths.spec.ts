import { randomBytes } from 'node:crypto';
import { uuidv7 } from '../src/platform/uuid.js';
import { expect, makeTraces, plainPage, test } from './support/fixtures.js';
import { NO_PARTS } from './support/parts.mjs';

declare global {
  var sdk: import('../src/start.js').Spandrel;
}

/** Lengths of what is in the bucket, by key. */
type Site = Parameters<Parameters<typeof test>[2]>[0]['site'];
const storedLengths = async (site: Site): Promise<Map<string, number>> =>
  new Map((await site.objects()).map(({ key, bytes }) => [key, bytes.length]));

const isPadded = ({ bytes }: { bytes: Uint8Array }): boolean => bytes[3] === 4;

/** Uploads as a page is given them, for bodies of these lengths. */
async function issue(site: Site, sizes: number[]) {
  const wants = sizes.map((bytes) => ({ id: uuidv7(Date.now(), randomBytes(10)), bytes }));
  const response = await fetch(site.mock.endpointUrl, {
    method: 'POST',
    headers: { origin: site.host.origin },
    body: JSON.stringify({ v: 2, wants, stored: [], lost: {} }),
  });
  return (await response.json()).uploads as { url: string; headers: Record<string, string>; bytes: number }[];
}

test('lengths: traces are stored as they were signed, and receipts say so', async ({ page, site }) => {
  await site.open(page);
  const names = Array.from({ length: 6 }, (_, index) => `trace ${index}`);
  for (const [index, name] of names.entries()) {
    await makeTraces(page, [name], index * 8);
    await page.evaluate(() => globalThis.spandrel.instance?.flush());
  }
  const children = names.flatMap((name, index) =>
    Array.from({ length: index * 8 }, (_, child) => `${name} child ${child + 1}`),
  );
  await site.expectStored([...names, ...children]);
  const lengths = await storedLengths(site);
  await expect.poll(() => site.receipts().length).toBeGreaterThanOrEqual(lengths.size);
  for (const { key, bytes } of site.receipts()) expect(bytes).toBe(lengths.get(key));
  const stats = await page.evaluate(() => globalThis.spandrel.instance?.stats());
  expect(stats?.requests.uploadFailures).toBe(0);
  // What is asked for is what was packed, so none was padded: FLG of RFC 1952, bit 2.
  expect((await site.objects()).filter(isPadded)).toEqual([]);
});

test('lengths: what a page puts must be as long as was signed', async ({ page, site, allowConsole }) => {
  allowConsole(/blocked by CORS policy|Failed to load resource|Cross-Origin Request Blocked|403/);
  await page.goto(site.serve(plainPage()));
  const uploads = await issue(site, [1_000, 1_000, 1_000]);
  expect(uploads.map(({ bytes }) => bytes)).toEqual([1_000, 1_000, 1_000]);
  const statuses = await page.evaluate(
    (uploads) =>
      Promise.all(
        [999, 1_001, 1_000].map(async (length, at) => {
          const { url = '', headers = {} } = uploads[at] ?? {};
          const body = new Uint8Array(length);
          return fetch(url, { method: 'PUT', headers, body }).then(
            ({ status }) => status,
            // The store's refusal comes without CORS headers.
            () => 'refused',
          );
        }),
      ),
    uploads,
  );
  expect(statuses).toEqual(['refused', 'refused', 200]);
  const puts = site.mock.requests.list('bucket').filter(({ method }) => method === 'PUT');
  expect(puts.map(({ status }) => status).sort()).toEqual([200, 403, 403]);
  await site.mock.bucket.clear();
});

test('lengths: where uploads are signed for other lengths, bodies are made as long, also by a leaving page', async ({
  page,
  site,
}) => {
  site.host.page('/away', plainPage());
  const sizes = [2_000, 3_000, 4_000];
  const spares = (await issue(site, sizes)).map((upload, index) => ({
    ...upload,
    id: undefined,
    key: `${index}`,
  }));
  await site.run(
    page,
    `
    import { bucket, start } from 'spandrel';
    const spares = ${JSON.stringify(spares)};
    globalThis.sdk = start({
      service: ${JSON.stringify(site.service)}, scheduledDelayMillis: 0, ...${JSON.stringify(NO_PARTS)},
      destination: bucket({ requestUploads: async () => spares.splice(0) }),
    });`,
  );
  await page.evaluate(() => globalThis.sdk.tracer.startSpan('early').end());
  await expect.poll(() => page.evaluate(() => globalThis.sdk.stats().spans.stored)).toBe(1);
  await page.evaluate(() => {
    globalThis.sdk.tracer.startSpan('last words').end();
    location.href = '/away';
  });
  await site.expectStored(['early', 'last words']);
  const objects = await site.objects();
  expect(objects.filter(isPadded)).toHaveLength(2);
  for (const { bytes } of objects) expect(sizes).toContain(bytes.length);
});
