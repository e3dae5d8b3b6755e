import type { Page } from '@playwright/test';
import { expect, plainPage, type Site, test } from './support/fixtures.js';
import { attributeOf, type OtlpSpan } from './support/otlp.js';

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

const BODY = `
  <div id="shadow"></div>
  <input id="search" value="typed">
  <form id="form"><input name="q"></form>
  <select name="sort-5"><option>a<option>b</select>
  <div data-spandrel="the cart">in the <b>cart</b></div>
  <script src="/e2e/activities.js"></script>`;
const NO_NAVIGATION = `<script>
  delete window.navigation;
  if (window.navigation) Object.defineProperty(window, 'navigation', { value: undefined });
</script>`;

const startOf = ({ startTimeUnixNano }: OtlpSpan): number => Number(BigInt(startTimeUnixNano) / 1000n);
const byStart = (a: OtlpSpan, b: OtlpSpan): number => startOf(a) - startOf(b);

async function rootsOf(site: Site): Promise<OtlpSpan[]> {
  return (await site.spans()).filter(({ parentSpanId }) => !parentSpanId).sort(byStart);
}

/** Waits for these traces: a root's name, and what its children fetched, each by the query of its address. */
async function expectTraces(site: Site, expected: string[][]): Promise<void> {
  const queryOf = ({ attributes }: OtlpSpan): string =>
    String(attributeOf(attributes, 'url.full')).replace(/.*\?|=.*/g, '');
  const traces = async (): Promise<string[][]> => {
    const spans = (await site.spans()).sort(byStart);
    return (await rootsOf(site)).map(({ name, spanId }) => [
      name,
      ...spans.filter(({ parentSpanId }) => parentSpanId === spanId).map(queryOf),
    ]);
  };
  await expect.poll(traces).toEqual(expected);
}

/** Does something, and waits for what it fetches last. */
async function act(page: Page, fetches: string, task: () => Promise<unknown>): Promise<void> {
  const answer = page.waitForResponse((response) => response.url().endsWith(`?${fetches}`));
  await task();
  await (await answer).finished();
}

const OPTIONS = { fetch: true, routes: true, interactions: true };

test('interactions: each that leads to work is a trace, named by what developers wrote', async ({
  page,
  site,
}) => {
  await site.open(page, OPTIONS, { body: BODY });
  await page.click('#nothing');
  await act(page, 'two', () => page.click('#fetch'));
  await act(page, 'shadow', () => page.click('rect'));
  await act(page, 'search', () => page.press('#search', 'Enter'));
  await act(page, 'form', () => page.press('#form input', 'Enter'));
  await page.focus('select');
  await act(page, 'select', () => page.keyboard.press('ArrowDown'));
  await act(page, 'named', () => page.click('b'));
  await page.click('#nothing');
  await expectTraces(site, [
    ['click button#fetch', 'one', 'two'],
    ['click button.x*', 'shadow'],
    ['keydown input#search', 'search'],
    // Enter in a form is one thing, and not a key and a submission.
    ['keydown input[name=q]', 'form'],
    ['change select[name=sort-*]', 'select'],
    ['click the cart', 'named'],
  ]);
  const spans = await site.spans();
  expect(JSON.stringify(spans)).not.toMatch(/Secret|typed/);
  const [click] = await rootsOf(site);
  const of = (name: string): unknown => attributeOf(click?.attributes, name);
  expect([of('spandrel.activity.type'), of('spandrel.activity.end')]).toEqual(['interaction', 'superseded']);
  expect([of('spandrel.interaction.type'), of('spandrel.interaction.target')]).toEqual([
    'click',
    'button#fetch',
  ]);
});

for (const [by, head] of [
  ['the Navigation API', ''],
  ['History', NO_NAVIGATION],
] as const) {
  test(`routes by ${by}: a click and the route that it leads to are one trace; so is a redirect`, async ({
    page,
    site,
  }) => {
    await site.open(page, OPTIONS, { head, body: BODY });
    if (head)
      expect(await page.evaluate(() => 'navigation' in window && Boolean(window.navigation))).toBe(false);
    await act(page, 'pushed', () => page.click('#push'));
    await act(page, 'effect', () => page.click('#load-then-push'));
    await act(page, 'redirected', () => page.click('#redirect'));
    await page.click('#query');
    await page.click('#anchor');
    const clicked = [
      ['route /product/:id', 'pushed'],
      ['route /product/:id', 'loader', 'effect'],
      ['route /login', 'redirected'],
    ];
    await expectTraces(site, clicked);
    // A click less than a second old could have been what led back.
    const clickedAt = await page.evaluate(() => performance.now());
    await page.waitForFunction((from) => performance.now() - from > 1_000, clickedAt);
    await page.evaluate(() => history.go(-3));
    await page.waitForURL('**/product/2');
    await act(page, 'hash', () => page.click('#hash'));
    await expectTraces(site, [...clicked, ['route /product/:id'], ['route /users/:id', 'hash']]);

    const roots = await rootsOf(site);
    const [pushed, loaded, redirected, back, hash] = roots;
    const events = roots.map(({ events = [] }) => events.map(({ name }) => name));
    expect(events).toEqual([['click', 'session.start'], ['click'], ['click', 'redirect'], [], ['click']]);
    expect(loaded?.events?.[0]?.timeUnixNano).toBe(loaded?.startTimeUnixNano);
    expect(attributeOf(loaded?.events?.[0]?.attributes, 'spandrel.interaction.target')).toBe(
      'button#load-then-push',
    );
    expect(roots.map(({ links = [] }) => links.map(({ spanId }) => spanId))).toEqual([
      [],
      ...[pushed, loaded, redirected, back].map((root) => [root?.spanId]),
    ]);
    const of = (name: string): unknown[] => roots.map(({ attributes }) => attributeOf(attributes, name));
    expect(of('spandrel.activity.type')).toEqual(Array(5).fill('route'));
    expect(of('url.template')).toEqual([
      '/product/:id',
      '/product/:id',
      '/login',
      '/product/:id',
      '/users/:id',
    ]);
    expect(of('browser.document.url.full')[2]).toBe(`${site.host.origin}/login`);
    expect(hash).toBeDefined();
  });
}

test('routes: a page that comes back from the bfcache begins anew, linked to what it was', async ({
  page,
  site,
}) => {
  site.host.page('/away', plainPage());
  await site.open(page, OPTIONS, { body: BODY });
  await act(page, 'pushed', () => page.click('#push'));
  await page.goto(`${site.host.origin}/away`);
  await page.evaluate(() => void setTimeout(() => history.back()));
  // The page that is left takes a question with it.
  const isBack = (): Promise<boolean> => page.evaluate(() => 'spandrel' in window).catch(() => false);
  await expect.poll(isBack).toBe(true);
  await act(page, 'one', () => page.evaluate(async () => (await fetch('/icon.svg?one')).text()));
  await expectTraces(site, [
    ['route /product/:id', 'pushed'],
    ['restore /product/:id', 'one'],
  ]);
  const [route, restored] = await rootsOf(site);
  expect(restored?.links?.map(({ spanId }) => spanId)).toEqual([route?.spanId]);
});
