/** The demo's Worker and the page that it serves: one trace from the click to the Worker, on to a service, and back. */
import type { BrowserContext, Locator, Page } from '@playwright/test';
import { type Host, startHost } from '../demo/host.mjs';
import { expect, test } from './support/fixtures.js';
import { attributeOf, type OtlpSpan, readObjects } from './support/otlp.js';

let host: Host;
test.beforeAll(async () => {
  host = await startHost({ worker: true });
});
// After the pages have gone: the viewer holds a stream open, and would complain.
test.afterAll(() => host.close());
test.beforeEach(() => host.mock.bucket.clear());

const [SERVER, CLIENT] = [2, 3];

async function openViewer(context: BrowserContext): Promise<Page> {
  const viewer = await context.newPage();
  await viewer.goto(`${host.origin}/viewer/`);
  await expect(viewer.getByText('Live', { exact: true })).toBeVisible();
  return viewer;
}

const agree = (page: Page): Promise<void> =>
  page.getByRole('region', { name: 'Consent' }).getByRole('button', { name: 'Agree' }).click();

/** The spans of all services in the bucket. */
async function stored(): Promise<{ shop: OtlpSpan[]; api: OtlpSpan[]; warehouse: OtlpSpan[] }> {
  const spansOf = async (service: string): Promise<OtlpSpan[]> =>
    (await readObjects(host.mock.bucket, service)).flatMap(({ spans }) => spans);
  return {
    shop: await spansOf('shop'),
    api: await spansOf('shop-api'),
    warehouse: await spansOf('warehouse'),
  };
}

/** Opens the trace of that name in the viewer and waits for its parts; returns the rows of the waterfall. */
async function openTrace(viewer: Page, name: string, services: number): Promise<Locator> {
  await viewer.getByRole('listbox').getByRole('option', { name }).first().click();
  await expect(viewer.getByRole('list', { name: 'Colours' }).getByRole('listitem')).toHaveCount(services);
  return viewer.getByRole('treegrid', { name: 'Spans' }).getByRole('row');
}

test('worker: a click, the Worker that answers it, and the service that it asks are one trace in the viewer', async ({
  context,
  page,
}) => {
  const viewer = await openViewer(context);
  await page.goto(`${host.origin}/shop/product/trowel`);
  await agree(page);
  await page.getByRole('button', { name: 'Add to cart' }).click();
  await expect(page.getByText('Trowel is in your cart.')).toBeVisible();

  const rows = await openTrace(viewer, 'click Add to cart', 3);
  // Each below the one before, but for `price basket`, which is beside `hold stock`.
  const levels: [RegExp, string][] = [
    [/shop click Add to cart/, '1'],
    [/reserve stock/, '2'],
    [/client POST cart/, '3'],
    [/shop-api server POST \/api\/cart/, '4'],
    [/price basket/, '5'],
    [/hold stock/, '5'],
    [/client POST holds/, '6'],
    [/warehouse server POST \/holds/, '7'],
  ];
  await expect(rows.filter({ hasText: 'hold stock' })).toBeVisible();
  for (const [name, level] of levels) {
    const row = viewer.getByRole('row', { name });
    await expect(row, String(name)).toHaveCount(1);
    await expect(row).toHaveAttribute('aria-level', level);
  }
  await expect(viewer.getByText(/Missing parent/)).toHaveCount(0);
  // The legend's colours tell the services apart.
  const swatches = viewer.getByRole('list', { name: 'Colours' }).locator('i');
  const colours = await swatches.evaluateAll((all) =>
    all.map((one) => getComputedStyle(one).backgroundColor),
  );
  expect(new Set(colours).size).toBe(3);
  // What the warehouse has logged stands at its moment.
  await expect(viewer.getByRole('list', { name: 'Moments' }).getByText(/held .*trowel/)).toBeVisible();

  // And so it is in the bucket, read by others than the viewer.
  const { shop, api, warehouse } = await stored();
  const click = shop.find(({ name }) => name === 'click Add to cart');
  const sent = shop.find(({ kind, traceId }) => kind === CLIENT && traceId === click?.traceId);
  const server = api.find(({ name }) => name === 'POST /api/cart');
  const asked = api.find(({ kind, traceId }) => kind === CLIENT && traceId === click?.traceId);
  expect(server).toMatchObject({ traceId: click?.traceId, parentSpanId: sent?.spanId, kind: SERVER });
  expect(host.warehouseHeard().at(-1)).toBe(`00-${click?.traceId}-${asked?.spanId}-01`);
  const held = warehouse.find(({ traceId }) => traceId === click?.traceId);
  expect(held).toMatchObject({ name: 'POST /holds', parentSpanId: asked?.spanId, kind: SERVER });
});

test('worker: a page load goes on with the trace in which its document was served', async ({
  context,
  page,
}) => {
  const viewer = await openViewer(context);
  await page.goto(`${host.origin}/shop/cart`);
  // The Worker's part is there first, as the page waits for an answer. Until then it says nothing of its trace to
  // the API, whose span is in a trace of its own for good.
  const listed = (name: RegExp): Locator => viewer.getByRole('listbox').getByRole('option', { name });
  const requests = listed(/^GET/);
  const loads = listed(/^load \/shop\/cart.*shop, shop-api/);
  await expect(requests).toHaveCount(2);
  await agree(page);
  await expect(loads).toHaveCount(1);
  await expect(requests).toHaveCount(1);

  await page.reload();
  await expect(loads).toHaveCount(2);
  await openTrace(viewer, 'load /shop/cart', 2);
  for (const [name, level] of [
    [/shop-api server GET/, '1'],
    [/shop load \/shop\/cart/, '2'],
    [/client GET products/, '3'],
    [/shop-api server GET \/api\/products/, '4'],
  ] as const) {
    const row = viewer.getByRole('row', { name }).first();
    await expect(row).toHaveAttribute('aria-level', level);
  }
  await expect(viewer.getByText(/Missing parent/)).toHaveCount(0);
  const { shop, api } = await stored();
  const stories = shop.filter(({ name }) => name === 'load /shop/cart');
  expect(stories).toHaveLength(2);
  for (const { traceId, parentSpanId } of stories) {
    const served = api.find(({ spanId }) => spanId === parentSpanId);
    expect(served?.traceId).toBe(traceId);
    expect(attributeOf(served?.attributes, 'url.path')).toBe('/shop/cart');
  }
});

test('worker: what fails there is an error of the click that led to it', async ({
  context,
  page,
  allowConsole,
}) => {
  allowConsole(/^exception: .*\/api\/fail answered 500/s, /status of 500 .*\/api\/fail/);
  const viewer = await openViewer(context);
  await page.goto(`${host.origin}/shop/product/trowel`);
  await agree(page);
  await page.getByRole('button', { name: 'Add to cart' }).click();
  await page.getByRole('link', { name: /^Cart/ }).click();
  await page.getByRole('button', { name: 'Redeem' }).click();
  await openTrace(viewer, 'click Redeem', 2);
  await expect(viewer.getByRole('row', { name: /Error shop-api server GET \/api\/fail/ })).toHaveCount(1);
});
