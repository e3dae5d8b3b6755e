import type { Page } from '@playwright/test';
import { expect, makeTraces, plainPage, type Site, test } from './support/fixtures.js';
import { attributeOf } from './support/otlp.js';

/** How a page goes. Each runs in the very task that ended the last span. */
const EXITS = {
  navigation: "location.href = '/away'",
  reload: 'location.reload()',
  'tab close': 'close()',
};

/** What the page does on a click: two whole traces, and then it is gone. */
const lastWords = (exit: string): string => `<script>
  document.querySelector('#act').onclick = () => {
    const { tracer } = spandrel.instance;
    makeTrace(tracer, 'last words', 2);
    tracer.startSpan('a second trace').end();
    ${exit};
  };
</script>`;
const LAST_WORDS = ['last words', 'last words child 1', 'last words child 2', 'a second trace'];

/** Opens the page in a tab that a script opened, as only such a tab may close itself. */
async function openTab(page: Page, site: Site, options: object, exit: string): Promise<Page> {
  site.host.page('/away', plainPage());
  await page.goto(site.serve(plainPage()));
  const opening = page.waitForEvent('popup');
  await page.evaluate(() => void window.open('about:blank'));
  const tab = await opening;
  await site.open(tab, { ...options }, { body: lastWords(exit) });
  await tab.waitForFunction(() => globalThis.makeTrace);
  return tab;
}

/** The click may be the tab's end, of which Playwright would complain. */
const clickAway = (tab: Page): Promise<void> => tab.click('#act', { noWaitAfter: true }).catch(() => {});

/** Waits until a first trace is stored: all of the page is there, and has heard from the endpoint. */
async function storeEarly(tab: Page): Promise<void> {
  await makeTraces(tab, ['early']);
  await tab.waitForFunction(() => globalThis.spandrel.instance?.stats().spans.stored === 1);
}

const relays = (site: Site) =>
  site.mock.requests.list('endpoint').filter(({ queryNames }) => queryNames.includes('relay'));

for (const [kind, exit] of Object.entries(EXITS)) {
  test(`leaving by ${kind}: what ended in the same task is stored, once`, async ({ page, site }) => {
    const tab = await openTab(page, site, {}, exit);
    await storeEarly(tab);
    await clickAway(tab);
    await site.expectStored(['early', ...LAST_WORDS]);
    // By one beacon to the endpoint, and no answer of it was waited for.
    expect(relays(site)).toHaveLength(1);
  });

  test(`leaving by ${kind}: answers 80 ms late lose nothing`, async ({ page, site }) => {
    const tab = await openTab(page, site, {}, exit);
    await storeEarly(tab);
    site.mock.faults.set('bucket', { kind: 'slow', delayMillis: 80 });
    site.mock.faults.set('endpoint', { kind: 'slow', delayMillis: 80 });
    await clickAway(tab);
    await site.expectStored(['early', ...LAST_WORDS]);
  });

  test(`leaving by ${kind}: a page that lived too short to ask for anything relays, once`, async ({
    page,
    site,
  }) => {
    site.mock.faults.set('endpoint', { kind: 'slow', delayMillis: 2_000 });
    const tab = await openTab(page, site, {}, exit);
    await clickAway(tab);
    await site.expectStored(LAST_WORDS);
    const puts = site.mock.requests.list('bucket').filter(({ method }) => method === 'PUT');
    expect(puts).toEqual([]);
  });
}

test('leaving: every trace of a busy page arrives, each once', async ({ page, site }) => {
  const tab = await openTab(page, site, { scheduledDelayMillis: 60_000 }, EXITS.navigation);
  await makeTraces(tab, ['early']);
  await tab.evaluate(() => globalThis.spandrel.instance?.flush());
  const names = Array.from({ length: 100 }, (_, index) => `busy ${index}`);
  await makeTraces(tab, names, 1);
  await clickAway(tab);
  await site.expectStored(['early', ...names.flatMap((name) => [name, `${name} child 1`]), ...LAST_WORDS]);
});

test('leaving: open spans are ended and marked, the root last', async ({ page, site }) => {
  // A page with an unload listener never enters the bfcache, in any engine.
  const tab = await openTab(page, site, {}, `addEventListener('unload', () => {}); ${EXITS.navigation}`);
  await storeEarly(tab);
  await tab.evaluate(() => {
    const { tracer } = globalThis.spandrel.instance ?? {};
    tracer?.startActiveSpan('open root', { root: true }, () => {
      tracer.startActiveSpan('open child', () => {
        tracer.startSpan('open grandchild');
        tracer.startSpan('ended grandchild').end();
      });
    });
  });
  await clickAway(tab);
  const open = ['open grandchild', 'open child', 'open root'];
  await site.expectStored(['early', ...LAST_WORDS, 'ended grandchild', ...open]);
  const marked = (await site.spans()).filter(({ attributes }) =>
    attributeOf(attributes, 'spandrel.interrupted'),
  );
  // Within an object, spans stand in the order in which they ended.
  expect(marked.map(({ name }) => name)).toEqual(open);
});
