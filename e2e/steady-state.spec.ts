import { execFileSync } from 'node:child_process';
import { expect, expectLedgerHeld, makeTraces, NO_OTHERS, test } from './support/fixtures.js';
import { spansById } from './support/oracle.js';
import type { OtlpRequest } from './support/otlp.js';

test('steady state: what the SDK made is in the bucket, once, field by field', async ({
  page,
  site,
  allowConsole,
}) => {
  allowConsole(/status of 404 .*\/steady\/missing/);
  site.host.page('/steady/data.json', '{}', { type: 'application/json' });
  const options = { fetch: true, version: '1.2.3', environment: 'test' };
  await site.open(page, options, { body: '<img src="/icon.svg" alt="">' });
  await page.evaluate(async () => {
    await fetch('/steady/data.json?secret=1');
    await fetch('/steady/missing').catch(() => {});
    const tracer = globalThis.spandrel.instance?.tracer;
    globalThis.makeTrace(tracer, 'order', 3);
    const span = tracer?.startSpan('everything', {
      kind: 3,
      attributes: { 'list.of': ['a', 'b'], deep: 0.5 },
    });
    span?.addEvent('noticed', { how: 'well "enough" \u{1F600}' });
    span?.addLink({ context: span.spanContext(), attributes: { self: true } });
    span?.recordException(new TypeError('on purpose'));
    span?.setStatus({ code: 2, message: 'on purpose' });
    span?.end();
  });
  const flushed = await page.evaluate(() => globalThis.spandrel.instance?.flush());
  expect(flushed).toBe('stored');

  const made = (await page.evaluate(() => globalThis.recorder.otlp())) as OtlpRequest;
  const stored = spansById((await site.objects()).map(({ request }) => request));
  expect(stored).toEqual(spansById([made]));

  // The oracle has seen what it is meant to see.
  const names = (await site.spans()).map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['GET', 'order', 'order child 3', 'everything']));

  const stats = await page.evaluate(() => globalThis.spandrel.instance?.stats());
  expect(stats?.spans).toEqual({
    ...NO_OTHERS,
    created: names.length,
    stored: names.length,
    waiting: 0,
    dropped: {},
  });
  expect(stats?.exceptions).toBe(0);
  expect(stats?.errors).toEqual([]);
  await expectLedgerHeld(page);
});

test('steady state: traces go by themselves, and the endpoint is told of each object', async ({
  page,
  site,
}) => {
  await site.open(page);
  await makeTraces(page, ['first'], 2);
  await site.expectStored(['first', 'first child 1', 'first child 2']);
  await makeTraces(page, ['second']);
  // Told with the next question; the last receipt waits for one, unless the page flushes.
  await expect.poll(() => site.receipts().length, { message: 'receipts' }).toBe(1);
  await site.expectStored(['first', 'first child 1', 'first child 2', 'second']);
  expect(await page.evaluate(() => globalThis.spandrel.instance?.flush())).toBe('stored');
  expect(site.receipts()).toHaveLength(2);

  const objects = await site.objects();
  expect(site.receipts().map(({ key }) => key)).toEqual(objects.map(({ key }) => key));
  const [receipt] = site.receipts();
  expect(receipt?.bytes).toBe(objects[0]?.bytes.length);
  expect(receipt?.spanCount).toBe(3);
  expect(receipt?.traces).toMatchObject([
    { traceId: objects[0]?.spans[0]?.traceId, rootName: 'first', spanCount: 3, error: false },
  ]);
  await expectLedgerHeld(page);
});

test('steady state: objects are one gzip member for every reader', async ({ page, site }) => {
  await site.open(page);
  await makeTraces(page, ['small']);
  await site.expectStored(['small']);
  // Large enough for the browser's own compressor.
  await makeTraces(page, ['large'], 400);
  await expect.poll(async () => (await site.spans()).length).toBe(402);
  for (const { bytes, request } of await site.objects()) {
    // Throws with gzip's own words when it finds fault.
    execFileSync('gzip', ['-t'], { input: bytes });
    const inflated = await page.evaluate(
      (numbers) =>
        new Response(
          new Blob([new Uint8Array(numbers)]).stream().pipeThrough(new DecompressionStream('gzip')),
        ).json(),
      [...bytes],
    );
    expect(inflated).toEqual(request);
  }
});

test('packing: traces that are ready together share an object by default', async ({ page, site }) => {
  await site.open(page, { scheduledDelayMillis: 300 });
  const names = ['a', 'b', 'c', 'd', 'e'];
  await makeTraces(page, names);
  await site.expectStored(names);
  expect(await site.objects()).toHaveLength(1);
});

test('packing: with maxTracesPerBlob 1 each trace is an object of its own', async ({ page, site }) => {
  await site.open(page, { scheduledDelayMillis: 300, maxTracesPerBlob: 1 });
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  await makeTraces(page, names, 1);
  await site.expectStored(names.flatMap((name) => [name, `${name} child 1`]));
  const objects = await site.objects();
  expect(objects.map(({ spans }) => new Set(spans.map(({ traceId }) => traceId)).size)).toEqual(
    names.map(() => 1),
  );
  await expectLedgerHeld(page);
});
