import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from './support/fixtures.js';

/** The demo as `npm start` runs it, by the addresses that it prints. */
const demo = { shop: '', viewer: '' };
let child: ChildProcess;

test.beforeAll(async () => {
  const start = fileURLToPath(new URL('../demo/start.mjs', import.meta.url));
  child = spawn(process.execPath, [start], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const [, name, url] = /^\s*(Shop|Traces)\s+(http\S+)/.exec(line) ?? [];
    if (name && url) demo[name === 'Shop' ? 'shop' : 'viewer'] = url;
    if (/Ctrl\+C/.test(line)) break;
  }
});

// After the pages have gone: the viewer holds a stream open, and would complain.
test.afterAll(async () => {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
});

test('demo: clicks in the shop are waterfalls in the viewer within seconds, by mouse and by keyboard', async ({
  context,
  page,
  allowConsole,
}) => {
  allowConsole(/status of 500 .*\/api\/fail/);
  const viewer = await context.newPage();
  await viewer.goto(demo.viewer);
  await expect(viewer.getByText('Live', { exact: true })).toBeVisible();

  await page.goto(demo.shop);
  await page.getByRole('link', { name: /Trowel/ }).click();
  await page.getByRole('button', { name: 'Add to cart' }).click();
  await expect(page.getByText('Trowel is in your cart.')).toBeVisible();
  await page.getByRole('button', { name: 'Break something' }).click();
  await expect(page.getByText(/It broke, as asked/)).toBeVisible();

  // By themselves, while both pages live.
  const list = viewer.getByRole('listbox');
  for (const name of [
    'documentLoad',
    'route /shop/product/:id',
    'click Add to cart',
    'click Break something',
  ]) {
    await expect(list.getByRole('option', { name }).first()).toBeVisible();
  }

  // `/` goes to the search.
  await viewer.keyboard.press('/');
  await viewer.keyboard.type('add to cart');
  await expect(list.getByRole('option')).toHaveCount(1);
  await viewer.getByRole('searchbox').clear();
  await expect(list.getByRole('option')).not.toHaveCount(1);

  await list.getByRole('option', { name: 'click Break something' }).click();
  const waterfall = viewer.getByRole('treegrid', { name: 'Spans' });
  await expect(waterfall.getByRole('row')).toHaveCount(3);
  await waterfall.getByRole('row', { name: /^.*GET/ }).click();
  const details = viewer.getByRole('complementary', { name: 'Span GET' });
  await expect(details.getByText('http.response.status_code')).toBeVisible();
  await expect(details.getByText(/\/api\/fail/).first()).toBeVisible();
  await viewer.getByRole('tab', { name: 'Raw OTLP' }).click();
  await expect(viewer.getByText('resourceSpans').first()).toBeVisible();

  // The same by keyboard: back to the list, down to the next trace, open it, down to a span, open that, and out.
  await viewer.getByRole('tab', { name: 'Waterfall' }).click();
  await expect(details).toBeVisible();
  await viewer.keyboard.press('Escape');
  await expect(details).toBeHidden();
  await expect(waterfall).toBeFocused();
  await viewer.keyboard.press('Escape');
  await expect(list).toBeFocused();
  const active = list.locator('.active');
  await viewer.keyboard.press('ArrowDown');
  await expect(active).toContainText('click Add to cart');
  await viewer.keyboard.press('Enter');
  await expect(viewer.getByRole('heading', { name: 'click Add to cart' })).toBeVisible();
  await expect(waterfall).toBeFocused();
  await viewer.keyboard.press('ArrowDown');
  await viewer.keyboard.press('Enter');
  await expect(viewer.getByRole('complementary', { name: 'Span reserve stock' })).toBeVisible();
  await viewer.keyboard.press('Escape');
  await expect(waterfall).toBeFocused();
});

test('demo: what an outage kept back outlives a reload, arrives once, and the panel says so', async ({
  context,
  page,
  allowConsole,
}) => {
  allowConsole(/ERR_CONNECTION|Cross-Origin Request Blocked/);
  const panel = page.getByRole('complementary', { name: 'What the SDK is doing' });
  const flip = (name: string) => panel.getByRole('switch', { name }).click();
  await page.goto(demo.shop);
  await page.getByRole('link', { name: /Plumb line/ }).click();
  await page.getByRole('button', { name: 'Add to cart' }).click();
  await page.getByRole('link', { name: /^Cart/ }).click();

  await flip('Cut off the endpoint');
  await flip('Cut off the bucket');
  await expect(panel.getByText(/Both are down/)).toBeVisible();
  await page.getByRole('button', { name: 'Empty the cart' }).click();
  await expect(page.getByText('Your cart is empty')).toBeVisible();
  await page.reload();
  await expect(panel.getByText(/An earlier page left \d+ spans behind/)).toBeVisible();
  await expect(panel.getByText(/[1-9]\d* from earlier pages/)).toBeVisible();
  await expect(panel.getByText('0 in the bucket')).toBeVisible();

  const viewer = await context.newPage();
  await viewer.goto(demo.viewer);
  const found = viewer.getByRole('listbox').getByRole('option', { name: 'click Empty cart' });
  await expect(viewer.getByText('Live', { exact: true })).toBeVisible();
  await expect(found).toHaveCount(0);

  await flip('Cut off the bucket');
  await flip('Cut off the endpoint');
  await expect(panel.getByText(/Everything is up/)).toBeVisible();
  await expect(panel.getByText('0 waiting')).toBeVisible();
  await expect(panel.getByText('0 lost')).toBeVisible();
  await expect(found).toHaveCount(1);
});
