import { expect, expectLedgerHeld, makeTraces, NO_OTHERS, plainPage, test } from './support/fixtures.js';
import { attributeOf } from './support/otlp.js';

declare global {
  var persisted: boolean[];
  var openSpan: { end(): void } | undefined;
}

// Playwright turns Chromium's bfcache off.
test.use({
  launchOptions: [
    async ({ launchOptions, browserName }, use) => {
      const kept = { ...launchOptions, ignoreDefaultArgs: ['--disable-back-forward-cache'] };
      await use(browserName === 'chromium' ? kept : launchOptions);
    },
    { scope: 'worker' },
  ],
});

test('bfcache: the page comes back from it and goes on, nothing ended or sent twice', async ({
  page,
  site,
}) => {
  site.host.page('/away', plainPage());
  const body = `<script>
    globalThis.persisted = [];
    addEventListener('pageshow', (event) => persisted.push(event.persisted));
    document.querySelector('#act').onclick = () => {
      makeTrace(spandrel.instance.tracer, 'before');
      location.href = '/away';
    };
  </script>`;
  await site.open(page, { fetch: true }, { body });
  await makeTraces(page, ['early']);
  await site.expectStored(['early']);
  await page.evaluate(() => {
    globalThis.openSpan = globalThis.spandrel.instance?.tracer.startSpan('open all along');
  });
  await page.click('#act');
  await page.waitForURL('**/away');
  // What had ended goes as the page is put away.
  await site.expectStored(['early', 'before']);

  // page.goBack() waits for a load that never comes, as does page.waitForURL().
  await page.evaluate(() => void setTimeout(() => history.back()));
  // The page that is left takes a question with it.
  const persisted = (): Promise<boolean[]> => page.evaluate(() => globalThis.persisted ?? []).catch(() => []);
  await expect.poll(persisted).toEqual([false, true]);

  await page.evaluate(() => globalThis.openSpan?.end());
  await makeTraces(page, ['after']);
  await site.expectStored(['early', 'before', 'open all along', 'after']);
  const interrupted = (await site.spans()).filter(({ attributes }) =>
    attributeOf(attributes, 'spandrel.interrupted'),
  );
  expect(interrupted).toEqual([]);
  const stored = (): Promise<unknown> => page.evaluate(() => globalThis.spandrel.instance?.stats().spans);
  await expect.poll(stored).toEqual({ ...NO_OTHERS, created: 4, stored: 4, waiting: 0, dropped: {} });
  await expectLedgerHeld(page);
});

test('bfcache: a page that comes back has web vitals of its own', async ({ page, site }) => {
  site.host.page('/away', plainPage());
  await site.open(page, { documentLoad: true, webVitals: true }, { body: '<h1>Here</h1>' });
  // Once the first visit has painted, and what tells of vitals has come.
  const told = async (): Promise<string[]> => (await site.spans()).map(({ name }) => name);
  await expect.poll(told).toContain('web-vital FCP');
  await page.evaluate(() => {
    location.href = '/away';
  });
  await page.waitForURL('**/away');
  await page.evaluate(() => void setTimeout(() => history.back()));
  const restored = async (): Promise<string[]> =>
    (await site.spans())
      .filter(
        ({ attributes }) =>
          attributeOf(attributes, 'browser.web_vital.navigation_type') === 'back-forward-cache',
      )
      .map(({ name }) => name);
  await expect
    .poll(restored)
    .toEqual(expect.arrayContaining(['TTFB', 'FCP', 'LCP'].map((name) => `web-vital ${name}`)));
});
