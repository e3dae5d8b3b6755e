/** The viewer's own behaviour, as `spandrel view` serves it, on objects that are made for each test. */
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { visits } from '../demo/testing/visits.mjs';
import { test as base, expect } from './support/fixtures.js';
import { startView } from './support/view.js';

type Span = Record<string, unknown> & { startTimeUnixNano: string };

interface Bucket {
  url: string;
  /** Stores an object; how old it is says its place in the listing. */
  put(name: string, request: object, ageSeconds?: number): Promise<void>;
}

const test = base.extend<{ bucket: Bucket }>({
  bucket: async ({ page }, use) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'spandrel-viewer-'));
    const view = await startView(folder);
    await use({
      url: view.url,
      async put(name, request, ageSeconds = 0) {
        const file = path.join(folder, `${name}.json`);
        await writeFile(file, JSON.stringify(request));
        const at = Date.now() / 1_000 - ageSeconds;
        await utimes(file, at, at);
      },
    });
    // The page's parts leave with it, before the server does.
    await page.goto('about:blank');
    await view.close();
    await rm(folder, { recursive: true });
  },
});

const NOW = Date.now();
const TRACE = 'abcd'.repeat(8);
const id = (number: number) => number.toString(16).padStart(16, '0');
const nano = (millis: number) => `${Math.round(millis)}000000`;
const attributes = (values: Record<string, string>) =>
  Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }));

function span(number: number, name: string, given: Record<string, unknown> = {}): Span {
  const start = NOW + number;
  return {
    traceId: TRACE,
    spanId: id(number),
    name,
    kind: 1,
    startTimeUnixNano: nano(start),
    endTimeUnixNano: nano(start + 100),
    ...given,
  };
}
const request = (spans: object[], service = 'shop') => ({
  resourceSpans: [
    { resource: { attributes: attributes({ 'service.name': service }) }, scopeSpans: [{ spans }] },
  ],
});

const options = (page: Page): Locator => page.getByRole('listbox').getByRole('option');
const news = (page: Page): Locator => page.getByRole('button', { name: /\d+ new / });
const older = (page: Page): Locator => page.getByRole('button', { name: 'Read older objects' });
/** By key: rows that are rendered while one scrolls to it would take it from under a pointer that is down. */
const readOlder = (page: Page): Promise<void> => older(page).press('Enter');

/** Stores one trace an object, a minute apart, the last first in the listing. */
async function fill(bucket: Bucket, count: number): Promise<void> {
  const all = visits({ sessions: count, traces: 1, endedAt: NOW });
  await Promise.all(all.map((one, index) => bucket.put(`visit-${index}`, one, (count - index) * 60)));
}

/** A page of objects is 200 requests. */
const READING = { timeout: 60_000 };

/** All there are: rows are rendered as far as one has scrolled. */
const expectRows = (page: Page, count: number) =>
  expect(options(page).first()).toHaveAttribute('aria-setsize', String(count), READING);

const head = (page: Page, text: string | RegExp) =>
  expect(page.getByRole('status').filter({ hasText: text })).toBeVisible();

// What could be held as well, and must not be: the first page, older ones, another search, other filters, an old
// trace that comes late; in the list of sessions too. And what must be: news, and nothing else.
test('viewer: what was asked for is shown at once, though somebody reads the list', async ({
  page,
  bucket,
}) => {
  test.slow();
  await fill(bucket, 450);
  // The first page is read while the pointer is over the list.
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let reads = 0;
  await page.route('**/viewer/api/object?*', async (route) => {
    if (++reads > 36) await released;
    await route.continue();
  });
  await page.goto(bucket.url);
  await expectRows(page, 36);
  await options(page).nth(2).hover();
  await expect(page.getByText(/Reading, 1\d\d objects left/).first()).toBeVisible();
  release();
  await page.unrouteAll({ behavior: 'wait' });
  await expectRows(page, 200);
  await expect(page.getByText(/Reading/)).toHaveCount(0);
  await expect(news(page)).toHaveCount(0);

  // A search is answered from all that is there.
  await page.getByRole('searchbox').fill('load');
  await head(page, '200 of 200 traces');
  await expectRows(page, 200);
  await page.getByRole('searchbox').fill('c7'.padStart(4, '0'));
  await page.getByRole('checkbox', { name: 'Errors only' }).check();
  await page.getByRole('checkbox', { name: 'Errors only' }).uncheck();
  await page.getByRole('searchbox').clear();
  await expectRows(page, 200);

  // Older ones come below, in one kind of page, and nobody's place is lost.
  const scroller = page.locator('.list-scroll');
  for (const [count, left] of [
    [400, 1],
    [450, 0],
  ] as const) {
    await readOlder(page);
    await expectRows(page, count);
    expect(await scroller.evaluate((element) => element.scrollTop)).toBeGreaterThan(1_000);
    await expect(news(page)).toHaveCount(0);
    await expect(page.getByRole('button', { name: /Show more/ })).toHaveCount(0);
    await head(page, `${count} traces`);
    await expect(older(page)).toHaveCount(left);
  }

  // What comes by itself waits, if it is newer than what stands first; else it takes its place.
  const [late, fresh] = [
    visits({ traces: 1, endedAt: NOW - 90_000_000 }),
    visits({ traces: 1, endedAt: NOW + 9_000_000 }),
  ].map(([one], index) =>
    JSON.parse(
      JSON.stringify(one).replaceAll(/"traceId":"[^"]+"/g, `"traceId":"${id(9 + index).repeat(2)}"`),
    ),
  );
  await bucket.put('late', late);
  await expectRows(page, 451);
  await bucket.put('fresh', fresh);
  await expect(news(page)).toHaveText(/1 new trace$/, READING);
  await expectRows(page, 451);
  await head(page, '452 traces');
  const first = options(page).first();
  const before = await first.getAttribute('id');
  await news(page).click();
  await expect(first).not.toHaveAttribute('id', before ?? '');
  await expectRows(page, 452);
  await expect(news(page)).toHaveCount(0);
});

test('viewer: sessions that were asked for are shown at once too', async ({ page, bucket }) => {
  test.slow();
  await fill(bucket, 205);
  await page.goto(`${bucket.url}#sessions`);
  await expectRows(page, 200);
  await options(page).nth(1).hover();
  await readOlder(page);
  await expectRows(page, 205);
  await expect(news(page)).toHaveCount(0);
  await expect(older(page)).toHaveCount(0);
});

test('viewer: as many objects as fit a page, and not one more, are all there is', async ({
  page,
  bucket,
}) => {
  await fill(bucket, 200);
  await page.goto(bucket.url);
  await expectRows(page, 200);
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
  await page.getByRole('listbox').focus();
  await page.keyboard.press('End');
  await expect(options(page)).toHaveCount(200);
  await expect(older(page)).toHaveCount(0);
});

test('viewer: a part whose root is in an older object says so, and becomes the trace when that is read', async ({
  page,
  bucket,
}) => {
  test.slow();
  await fill(bucket, 199);
  const vital = { parentSpanId: id(1), endTimeUnixNano: nano(NOW + 2) };
  await bucket.put('part', request([span(2, 'web-vital CLS', vital)]), 1);
  const activity = { attributes: attributes({ 'spandrel.activity.type': 'route' }) };
  await bucket.put('root', request([span(1, 'route /about', activity)]), 99_999);
  await page.goto(bucket.url);
  await expectRows(page, 200);
  const part = options(page).filter({ hasText: 'web-vital CLS' });
  await expect(part).toHaveText(/Part of a trace.*1 span.*its root is not read/s);
  await expect(part).not.toContainText('0 ns');
  await part.click();
  await expect(page.getByRole('heading', { level: 1, name: 'Part of a trace' })).toBeVisible();
  await page.getByRole('article').getByRole('button', { name: 'Read older objects' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'route /about' })).toBeVisible();
  await expect(options(page).filter({ hasText: 'Part of a trace' })).toHaveCount(0);
});

/** A page's trace that a server has failed in, in the words of many rows. */
function busyTrace(): object[] {
  const url = (name: string) => attributes({ 'url.full': `https://shop.test/assets/${name}` });
  const files = ['style.css', 'panel.css', 'chunk-0123456789abcdef0123456789abcdef.js', 'shop.css'];
  const thrown = (name: string, message: string, at: number) => ({
    name,
    timeUnixNano: nano(NOW + at),
    attributes: attributes({ 'exception.type': 'Error', 'exception.message': message }),
  });
  const page = [
    span(1, 'load /', {
      endTimeUnixNano: nano(NOW + 617),
      status: { code: 2 },
      attributes: attributes({ 'spandrel.activity.type': 'load', 'session.id': '5'.repeat(32) }),
      events: [thrown('exception', 'WWWWWWWWW answered 500', 400)],
    }),
    ...files.map((name, index) =>
      span(10 + index, 'resourceFetch', { kind: 3, parentSpanId: id(1), attributes: url(name) }),
    ),
    span(20, 'GET', { kind: 3, parentSpanId: id(1), status: { code: 2 }, attributes: url('fail') }),
  ];
  const server = span(30, 'GET /api/fail', { kind: 2, parentSpanId: id(20), status: { code: 2 } });
  const [own] = (request(page) as { resourceSpans: object[] }).resourceSpans;
  const [others] = (request([server], 'a-service-with-a-long-name') as { resourceSpans: object[] })
    .resourceSpans;
  return [own ?? {}, others ?? {}];
}

/** Texts of which one covers another, or leaves what it stands in. */
const overlaps = (page: Page, selector: string): Promise<string[]> =>
  page.locator(selector).evaluateAll((elements) => {
    const boxes = elements
      .map((element) => ({ text: element.textContent?.trim(), box: element.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 0);
    const touch = (a: DOMRect, b: DOMRect) =>
      a.left < b.right - 0.5 && b.left < a.right - 0.5 && a.top < b.bottom - 0.5 && b.top < a.bottom - 0.5;
    return boxes.flatMap(({ text, box }, index) =>
      boxes.slice(index + 1).flatMap((other) => (touch(box, other.box) ? [`${text} | ${other.text}`] : [])),
    );
  });

test('viewer: no label covers another, and names stay telling, at any width', async ({ page, bucket }) => {
  test.slow();
  await bucket.put('busy', { resourceSpans: busyTrace() });
  await page.goto(`${bucket.url}#trace=${TRACE}&span=${id(10)}`);
  await expect(page.getByRole('treegrid').getByRole('row', { name: /style\.css/ })).toBeVisible();
  for (let width = 320; width <= 1_500; width += 59) {
    await page.setViewportSize({ width, height: 800 });
    // The ticks of this width are there when the observer has told it, in the frame after.
    await page.evaluate(
      () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
    );
    await expect.poll(() => overlaps(page, '.tick, .axis-title'), `axis, ${width} px`).toEqual([]);
    await expect.poll(() => overlaps(page, '.flag, .moments .axis-title'), `flags, ${width} px`).toEqual([]);
    for (const [name, telling] of [
      [/style\.css/, /^style\.css$/],
      [/panel\.css/, /^panel\.css$/],
      [/chunk/, /^chunk-?.*[\da-f]*\.js$/],
    ] as const) {
      const label = page.getByRole('treegrid').getByRole('row', { name }).locator('.clipped:not(.constant)');
      const seen = () =>
        label.evaluate((one: HTMLElement) =>
          one.scrollWidth > one.clientWidth ? (one.dataset['cut'] ?? '') : (one.textContent ?? ''),
        );
      await expect.poll(seen, `${name}, ${width} px`).toMatch(telling);
    }
    // A service's name is there as a whole, or not at all.
    const torn = await page.locator('.service').evaluateAll(
      (all) =>
        all.filter((one) => {
          const [outer, pill] = [one, one.querySelector('.badge')].map((box) => box?.getBoundingClientRect());
          return outer && pill && pill.top < outer.bottom && pill.right > outer.right + 0.5;
        }).length,
    );
    expect(torn, `services, ${width} px`).toBe(0);
  }
});

test('viewer: the column of names is as wide as one makes it, by pointer and by keys', async ({
  page,
  bucket,
}) => {
  await bucket.put('busy', { resourceSpans: busyTrace() });
  await page.goto(`${bucket.url}#trace=${TRACE}`);
  const splitter = page.getByRole('separator', { name: 'Width of the names' });
  const name = page
    .getByRole('row', { name: /style\.css/ })
    .getByRole('gridcell')
    .first();
  const widthOf = async () => Math.round((await name.boundingBox())?.width ?? 0);
  const before = await widthOf();
  await splitter.focus();
  await page.keyboard.press('ArrowLeft');
  await expect.poll(widthOf).toBe(before - 20);
  const box = await splitter.boundingBox();
  if (!box) throw new Error('no splitter');
  await page.mouse.move(box.x + box.width / 2, box.y + 200);
  await page.mouse.down();
  await page.mouse.move(box.x + 90, box.y + 210, { steps: 3 });
  await page.mouse.up();
  await expect.poll(widthOf).toBeGreaterThan(before + 50);
  await expect(splitter).toHaveAttribute('aria-valuenow', String(await widthOf()));
});

test('viewer: one failure is one error, in the list, the head, the session and its story', async ({
  page,
  bucket,
}) => {
  const [own, others] = busyTrace();
  // Whichever part comes first, the count does not change.
  await bucket.put('server', { resourceSpans: [others] });
  await page.goto(bucket.url);
  const row = options(page).first();
  await expect(row).toHaveText(/GET \/api\/fail.*1 error.*began elsewhere/s);
  await bucket.put('page', { resourceSpans: [own] });
  await expect(row).toHaveText(/load \/.*1 error.*answered 500/s);
  await row.click();
  await expect(page.getByRole('article').getByText('1 error', { exact: true })).toBeVisible();
  await page.getByRole('link', { name: /^Session \w{8}$/ }).click();
  await expect(row).toContainText('1 error');
  await expect(page.getByRole('article').getByText('1 error', { exact: true })).toBeVisible();
  await expect(page.getByRole('article').getByText('answered 500')).toHaveCount(1);
});
