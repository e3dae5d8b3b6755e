/**
 * Functions that users hand us make requests. However they do, a page that is idle but for them falls silent.
 *
 * Tried: `requestUploads`, `notify`, a destination's `send`, `headers`; `fetch`,
 * `XMLHttpRequest`, `sendBeacon`; at once, after an `await`, after a timer that nobody awaits; a new address each time;
 * several requests at once; spans of their own; `start()`, `TraceBatchProcessor` and the stock `BatchSpanProcessor`
 * beside `@opentelemetry/instrumentation-fetch`. `EventSpans` in `src/own-functions.test.ts`.
 */
import type { Page } from '@playwright/test';
import { expect, type Site, test } from './support/fixtures.js';
import { NO_PARTS } from './support/parts.mjs';

declare global {
  var asked: () => number;
  var silence: () => Promise<number>;
  var work: () => void;
  var flush: () => Promise<import('../src/index.js').FlushResult>;
  var state: () => import('../src/diagnostics/stats.js').Stats;
}

/** What stands in front of every page: counts requests to the app's own address, and waits until there are no more. */
const COUNTING = `
  let count = 0;
  const target = () => '/of-the-app?' + ++count;
  const post = (fetch = globalThis.fetch) => fetch(target(), { method: 'POST' });
  const tick = () => new Promise((resolve) => setTimeout(resolve, 10));
  globalThis.asked = () => count;
  globalThis.silence = async () => {
    for (let before = -1; before !== count; ) {
      before = count;
      await new Promise((resolve) => setTimeout(resolve, 2_500));
    }
    return count;
  };
  const uploads = async (ask) => {
    await tick();
    await ask();
    return [];
  };`;

const START = (site: Site, rest: string): string => `
  import { start, bucket } from 'spandrel';
  import { otlp } from 'spandrel/otlp';
  ${COUNTING}
  const sdk = start({
    service: ${JSON.stringify(site.service)}, scheduledDelayMillis: 0,
    ...${JSON.stringify({ ...NO_PARTS, fetch: true, xhr: true })}, ${rest}
  });
  globalThis.work = () => sdk.tracer.startSpan('work').end();
  globalThis.state = () => sdk.stats();
  globalThis.flush = () => sdk.flush();`;

const destination = (send: string): string =>
  `destination: { open: () => ({
    async send(blob) { ${send}; return { status: 'stored' }; }, close() {},
  }) }`;

const PROVIDER = (processor: string): string => `
  import { BatchSpanProcessor, SimpleSpanProcessor, WebTracerProvider } from '@opentelemetry/sdk-trace-web';
  import { FetchInstrumentation } from '@opentelemetry/instrumentation-fetch';
  import { registerInstrumentations } from '@opentelemetry/instrumentation';
  import { TraceBatchProcessor, TraceExporter } from 'spandrel';
  ${COUNTING}
  const exporter = new TraceExporter({ ${destination('await tick(); await post()')} });
  const provider = new WebTracerProvider({ spanProcessors: [${processor}] });
  provider.register();
  registerInstrumentations({ instrumentations: [new FetchInstrumentation()] });
  globalThis.work = () => provider.getTracer('app').startSpan('work').end();
  globalThis.state = () => exporter.stats();`;

const PAGES: Record<string, (site: Site) => string> = {
  'send, after an await': (site) => START(site, destination('await tick(); await post()')),
  'send, by XMLHttpRequest': (site) =>
    START(
      site,
      destination(`await tick();
        await new Promise((resolve) => {
          const xhr = new XMLHttpRequest();
          xhr.open('POST', target());
          xhr.onloadend = resolve;
          xhr.send();
        })`),
    ),
  'send, after a timer that nobody awaits': (site) => START(site, destination('setTimeout(post, 300)')),
  'send, two at once and one of another method': (site) =>
    START(site, destination('await tick(); await Promise.all([post(), post(), fetch(target())])')),
  'send, by sendBeacon': (site) => START(site, destination('await tick(); navigator.sendBeacon(target())')),
  'send, with a span of its own': (site) =>
    START(site, destination("await tick(); sdk.tracer.startSpan('send').end(); await post()")),
  'requestUploads that gives none': (site) =>
    START(site, 'destination: bucket({ requestUploads: () => uploads(post) })'),
  'headers, after an await': (site) =>
    START(
      site,
      `destination: otlp({ url: '/collector', headers: async () => { await tick(); await post(); return {}; } })`,
    ),
  'send, behind TraceBatchProcessor and instrumentation-fetch': () =>
    PROVIDER('new TraceBatchProcessor(exporter, { scheduledDelayMillis: 0 })'),
  'send, behind BatchSpanProcessor and instrumentation-fetch': () =>
    PROVIDER('new BatchSpanProcessor(exporter, { scheduledDelayMillis: 200 })'),
  'send, behind SimpleSpanProcessor and instrumentation-fetch': () =>
    PROVIDER('new SimpleSpanProcessor(exporter)'),
};

async function open(page: Page, site: Site, code: string): Promise<void> {
  for (const path of ['/of-the-app', '/collector/v1/traces']) {
    site.host.route(path, (_, res) => res.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  }
  await site.run(page, code);
}

for (const [name, code] of Object.entries(PAGES)) {
  test(`functions of the user’s: ${name}`, async ({ page, site }) => {
    await open(page, site, code(site));
    await page.evaluate(() => globalThis.work());
    await expect.poll(() => page.evaluate(() => globalThis.asked())).toBeGreaterThan(0);
    const asked = await page.evaluate(() => globalThis.silence());
    expect(asked, 'and a round or two to find out').toBeLessThan(15);
    // What was held back is neither lost nor forgotten: it goes with what comes next.
    await page.evaluate(() => {
      globalThis.work();
    });
    const { spans } = await page.evaluate(() => globalThis.state());
    expect(spans.dropped).toEqual({});
  });
}

test('functions of the user’s: requests by the fetch that they are handed make no spans', async ({
  page,
  site,
}) => {
  const uploads = `async (request, { fetch }) => {
    await tick();
    const answer = await fetch('/uploads', { method: 'POST', body: JSON.stringify({ v: 2, wants: request.wants, stored: [], lost: {} }) });
    return (await answer.json()).uploads;
  }`;
  site.host.route('/uploads', async (req, res) => {
    let body = '';
    for await (const chunk of req) body += chunk;
    const answer = await fetch(site.mock.endpointUrl, {
      ...{ method: 'POST', body, headers: { 'content-type': 'text/plain', origin: site.host.origin } },
    });
    res.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
  });
  const options = `destination: bucket({
    requestUploads: ${uploads},
    notify: async (receipts, { fetch }) => { await tick(); await post(fetch); },
  })`;
  await open(page, site, START(site, options));
  await page.evaluate(() => globalThis.work());
  // What was stored is told with the next question, or at once to whoever flushes.
  await expect.poll(() => page.evaluate(() => globalThis.state().spans.stored)).toBe(1);
  expect(await page.evaluate(() => globalThis.flush())).toBe('stored');
  expect(await page.evaluate(() => globalThis.asked())).toBe(1);
  await page.evaluate(() => globalThis.silence());
  expect(await page.evaluate(() => globalThis.state().spans)).toMatchObject({
    created: 1,
    stored: 1,
    waiting: 0,
  });
  await site.expectStored(['work']);
});
