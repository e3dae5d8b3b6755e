import { expect, plainPage, test } from './support/fixtures.js';
import { attributeOf, type OtlpSpan } from './support/otlp.js';
import { bundle } from './support/sizes.mjs';

const SENDER = new URL('../dist/events.js', import.meta.url).pathname;

/** An app that tells events and makes no spans: its session, its sources, and what it does when `act` is called. */
const app = (service: string, worker: string): string => `
  import { bucket, TraceBatchProcessor, TraceExporter } from 'spandrel';
  import { EventSpans, fromEventTarget, fromMessages, fromPerformance } from 'spandrel/events';

  performance.mark('boot.started', { detail: { phase: 'early' } });
  performance.mark('boot.completed');
  const exporter = new TraceExporter({ destination: bucket({ endpoint: '/spandrel' }) });
  const processor = new TraceBatchProcessor(exporter, { scheduledDelayMillis: 0 });
  const spans = new EventSpans({ processor, service: ${JSON.stringify(service)}, session: { id: 'visit 1' } });
  fromEventTarget(spans, window, ['checkout.started', 'voucher.redeemed', 'checkout.failed']);
  fromPerformance(spans, { names: ['boot.*', 'render'] });

  const worker = new Worker(URL.createObjectURL(new Blob([${JSON.stringify(worker)}], { type: 'text/javascript' })), { type: 'module' });
  fromMessages(spans, worker);
  const tell = (type, detail) => window.dispatchEvent(new CustomEvent(type, { detail }));
  globalThis.act = async () => {
    tell('checkout.started', { id: 42, email: 'jane@shop.test' });
    const done = new Promise((resolve) => worker.addEventListener('message', ({ data }) => data === 'done' && resolve()));
    worker.postMessage('index');
    await done;
    tell('voucher.redeemed', { code: 'SPRING' });
    const { startTime } = performance.mark('render begins');
    performance.measure('render', { start: startTime, duration: 5 });
    tell('checkout.failed', { id: 42, error: new TypeError('no stock') });
  };
  globalThis.spans = spans;
  globalThis.exporter = exporter;`;

const WORKER = (sender: string): string => `
  ${sender}
  const events = sendTo(self, { track: 'indexer' });
  addEventListener('message', () => {
    postMessage('not for them');
    events.handle('index.started', { id: 'i', parent_id: 42, act() {} });
    events.handle('index.row', { row: 1 });
    events.handle('index.completed', { id: 'i' });
    postMessage('done');
  });`;

async function workerCode(): Promise<string> {
  const code = await bundle(`export { sendTo } from ${JSON.stringify(SENDER)};`);
  // An export does no harm in a module worker, but its name inside is the minifier's.
  return WORKER(code.replace(/export\{(\w+) as sendTo\};?/, 'const sendTo = $1;'));
}

const isWithin = (inner: OtlpSpan | undefined, outer: OtlpSpan | undefined): boolean =>
  inner !== undefined &&
  outer !== undefined &&
  BigInt(inner.startTimeUnixNano) >= BigInt(outer.startTimeUnixNano) &&
  BigInt(inner.endTimeUnixNano) <= BigInt(outer.endTimeUnixNano);

test("events of a page, its marks and its worker's messages become one trace in the bucket", async ({
  page,
  site,
}) => {
  await site.run(page, app(site.service, await workerCode()));
  await page.evaluate('act()');
  await page.evaluate('spans.finalize()');
  await site.expectStored(['boot', 'checkout', 'render', 'index', 'indexer', 'main', 'session']);
  const spans = await site.spans();
  const named = (name: string) => spans.find((span) => span.name === name);
  const parentOf = (name: string) => spans.find(({ spanId }) => spanId === named(name)?.parentSpanId)?.name;
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  expect(['boot', 'checkout', 'index', 'indexer', 'main', 'session'].map(parentOf)).toEqual([
    ...['main', 'main', 'checkout', 'session', 'session', undefined],
  ]);

  const checkout = named('checkout');
  expect(checkout?.status).toEqual({ code: 2, message: 'no stock' });
  expect(checkout?.events?.map(({ name }) => name)).toEqual(['voucher.redeemed', 'exception']);
  expect(attributeOf(checkout?.attributes, 'email')).toBe('REDACTED');
  expect(attributeOf(named('boot')?.attributes, 'phase')).toBe('early');
  expect(named('index')?.events?.map(({ name }) => name)).toEqual(['index.row']);
  // The worker has a clock of its own, read at another moment.
  expect(attributeOf(named('indexer')?.attributes, 'thread.name')).toBe('indexer');
  for (const span of spans) {
    expect(attributeOf(span.attributes, 'session.id')).toBe('visit 1');
    expect(attributeOf(span.attributes, 'spandrel.interrupted')).toBeUndefined();
    expect(isWithin(span, named('session')), span.name).toBe(true);
  }
  const { ignored, dropped, exceptions, open } = (await page.evaluate('spans.stats()')) as never as {
    [name: string]: unknown;
  };
  expect([ignored, dropped, exceptions, open]).toEqual([{}, {}, 0, 0]);
});

const OPEN = `spans.handle('visit.started'); spans.handle('form.started'); spans.handle('typed')`;
const STORED = ['boot', 'form', 'visit', 'main', 'session'];

const marksIn = (spans: readonly OtlpSpan[]): string[] =>
  spans
    .filter(({ attributes }) => attributeOf(attributes, 'spandrel.interrupted') === true)
    .map(({ name }) => name)
    .sort();

test('what is open as the page leaves is in the bucket, marked', async ({ page, site }) => {
  // A page with an unload listener never enters the bfcache, in any engine.
  const head = "<script>addEventListener('unload', () => {})</script>";
  await site.run(page, app(site.service, await workerCode()), { head });
  await page.evaluate(OPEN);
  await page.goto(site.serve(plainPage()));
  await site.expectStored(STORED);
  expect(marksIn(await site.spans())).toEqual(['form', 'main', 'session', 'visit']);
});

test('a page that may be kept in the bfcache: reset() before the exporter hears of it loses nothing', async ({
  page,
  site,
}) => {
  const head = "<script>addEventListener('pagehide', () => spans.reset(), true)</script>";
  await site.run(page, app(site.service, await workerCode()), { head });
  await page.evaluate(OPEN);
  await page.goto(site.serve(plainPage()));
  await site.expectStored(STORED);
  expect(marksIn(await site.spans())).toEqual(['form', 'visit']);
});
