import type { Page } from '@playwright/test';
import { expect, plainPage, type Site, test } from './support/fixtures.js';

declare global {
  var leftovers: () => { timers: number; listeners: string[]; fetch: string };
  var otel: typeof import('@opentelemetry/api');
  var sdk: import('../src/start.js').Spandrel;
}

const CLEAN = { timers: 0, listeners: [], fetch: 'as it was' };

/** A page that starts Spandrel with everything on, under the eyes of the counter. */
async function startCounted(page: Page, site: Site, options: object = {}): Promise<void> {
  // web-vitals keeps its listeners, which tell nobody any more.
  const basics = { service: site.service, endpoint: '/spandrel', scheduledDelayMillis: 0, webVitals: false };
  const all = { ...basics, ...options };
  const code = `
    import * as otel from '@opentelemetry/api';
    import { start } from 'spandrel';
    globalThis.otel = otel;
    globalThis.importedOnly = leftovers();
    globalThis.sdk = start(${JSON.stringify(all)});
    sdk.subscribe(() => {});`;
  await site.run(page, code, { head: '<script src="/e2e/leftovers.js"></script>' });
  const running = await page.evaluate(() => globalThis.leftovers());
  expect(running.fetch).toBe('wrapped');
  expect(running.listeners).toContain('Window pagehide');
}

const endTrace = (page: Page, name: string): Promise<void> =>
  page.evaluate((name) => globalThis.otel.trace.getTracer('page').startSpan(name).end(), name);

test('shutdown: sends what there is, and leaves nothing behind', async ({ page, site }) => {
  await startCounted(page, site, { documentLoad: false, longFrames: false });
  expect(await page.evaluate('importedOnly')).toEqual(CLEAN);
  await endTrace(page, 'a');
  await site.expectStored(['a']);
  await endTrace(page, 'last');
  await page.evaluate(() => globalThis.sdk.shutdown());
  expect(await page.evaluate(() => globalThis.leftovers())).toEqual(CLEAN);
  await site.expectStored(['a', 'last']);
  expect(site.receipts()).toHaveLength(2);

  // Once more does nothing, and neither do spans: the API's tracer is none again.
  await page.evaluate(() => globalThis.sdk.shutdown());
  expect(
    await page.evaluate(() => globalThis.otel.trace.getTracer('page').startSpan('late').isRecording()),
  ).toBe(false);
  const requests = site.mock.requests.list().length;
  await page.evaluate(() => globalThis.sdk.tracer.startSpan('later').end());
  await page.goto(site.serve(plainPage()));
  expect(site.mock.requests.list()).toHaveLength(requests);
  await site.expectStored(['a', 'last']);
});

test('shutdown: after the page had been hidden, nothing is left either', async ({ page, site }) => {
  await startCounted(page, site, { documentLoad: false, longFrames: false });
  await endTrace(page, 'a');
  await site.expectStored(['a']);
  await endTrace(page, 'b');
  // The very event that a page gets in the background; Playwright's pages are always in the foreground.
  await page.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await site.expectStored(['a', 'b']);
  await page.evaluate(() => globalThis.sdk.shutdown());
  expect(await page.evaluate(() => globalThis.leftovers())).toEqual(CLEAN);
  // Other copies on the page may have the keepalive bytes again.
  expect(await page.evaluate("globalThis[Symbol.for('spandrel.keepalive')]")).toEqual({ used: 0 });
});

test('shutdown: with an upload that hangs, nothing is left either, and what waits is counted', async ({
  page,
  site,
  allowConsole,
}) => {
  allowConsole(/Failed to load resource.*\/s3\//);
  // Long frames of a slow machine would be counted as well.
  await startCounted(page, site, { documentLoad: false, longFrames: false, shutdownTimeoutMillis: 100 });
  site.mock.faults.set('bucket', { kind: 'hang' });
  await endTrace(page, 'a');
  await expect.poll(() => site.mock.requests.list('bucket').length).toBeGreaterThan(0);
  await page.evaluate(() => globalThis.sdk.shutdown());
  expect(await page.evaluate(() => globalThis.leftovers())).toEqual(CLEAN);
  // The connection is not looked at: Chromium goes on with a keepalive request that was aborted.
  const stats = await page.evaluate(() => globalThis.sdk.stats());
  // It waits in the database, for a later page.
  expect(stats.spans).toEqual({ adopted: 0, handedOver: 1, created: 1, stored: 0, waiting: 0, dropped: {} });
  expect(stats.state).toBe('shut-down');
});

test('shutdown: before the page has loaded, the load ends there', async ({ page, site }) => {
  const options = { service: site.service, endpoint: '/spandrel', webVitals: false, longFrames: false };
  const code = `
    import { start } from 'spandrel';
    globalThis.sdk = start(${JSON.stringify(options)});
    await sdk.shutdown();
    globalThis.early = leftovers();`;
  await site.run(page, code, { head: '<script src="/e2e/leftovers.js"></script>' });
  expect(await page.evaluate('early')).toEqual(CLEAN);
  await page.waitForLoadState('load');
  await site.expectStored(['load /:id/:id']);
  expect(await page.evaluate(() => globalThis.sdk.stats().spans.created)).toBe(1);
});
