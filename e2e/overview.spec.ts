/** The overview's page, as `spandrel view` serves it, on a day of visits to a site. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { figuresOf } from '../src/testing/site-figures.js';
import { requestsOf, simulate, type Visit } from '../src/testing/site-visits.js';
import { expectNoViolations } from './support/axe.js';
import { expect, test } from './support/fixtures.js';
import { ensureTools, VERSIONS } from './support/tools.mjs';
import { startView } from './support/view.js';

test.skip(({ browserName }) => browserName !== 'chromium', 'one engine draws them');

const VIEWS = ['Overview', 'Traces', 'Sessions', 'Errors'];
const DUCKDB = '@duckdb/node-api';
let folder: string;
let view: Awaited<ReturnType<typeof startView>>;
let visits: Visit[];

test.beforeAll(async () => {
  test.setTimeout(120_000);
  folder = await mkdtemp(path.join(tmpdir(), 'spandrel-overview-'));
  visits = simulate(60, 7, Date.now() - 60_000);
  const requests = requestsOf(visits);
  await Promise.all(
    requests.map((one, index) =>
      writeFile(path.join(folder, `o${index}.json.gz`), gzipSync(JSON.stringify(one))),
    ),
  );
  view = await startView(folder, ensureTools({ [DUCKDB]: VERSIONS[DUCKDB] }));
});

test.afterAll(async () => {
  await view?.close();
  // Where all is skipped there is none.
  if (folder) await rm(folder, { recursive: true });
});

test.afterEach(async ({ page }) => {
  // The page's parts leave with it, before the server does.
  await page.goto('about:blank');
});

test('overview: figures, filters and traces, all in the address', async ({ page }) => {
  test.slow();
  await page.goto(`${view.url}#overview`);
  await expect(page.getByRole('heading', { name: 'Visits' })).toBeVisible({ timeout: 60_000 });
  await expect(
    page.getByRole('status').filter({ hasText: `${visits.length} traces of 60 sessions` }),
  ).toBeVisible();
  await expect(page.getByText('sampled:')).toBeVisible();
  await expect(page.locator('.plot canvas')).toHaveCount(6);

  // p75 of CLS as plain code finds it.
  const all = figuresOf(visits, 'route');
  const card = page.getByRole('article').filter({ hasText: 'CLS' });
  await expect(card).toContainText(String(Number(all.vitals['CLS']?.p75.toFixed(3))));

  // By another side, and one of it as a filter.
  await page.getByRole('combobox', { name: 'Web vitals by' }).selectOption('browser');
  await expect(page).toHaveURL(/by=browser/);
  await page.getByRole('link', { name: 'Firefox' }).click();
  const firefox = visits.filter(({ browser }) => browser === 'Firefox');
  await expect(page.getByRole('status').filter({ hasText: `${firefox.length} traces` })).toBeVisible();
  const list = page.getByRole('list', { name: 'Filters' });
  await expect(list.getByRole('link')).toHaveText(/browser = Firefox/);

  // Any attribute, typed, SQL too.
  const filter = async (key: string, value: string) => {
    await page.getByLabel('Filter by').fill(key);
    await page.getByLabel('Value', { exact: true }).fill(value);
    await page.getByRole('button', { name: 'Add filter' }).click();
  };
  await filter('shop.plan', 'pro');
  const pro = firefox.filter(({ plan }) => plan === 'pro');
  await expect(page.getByRole('status').filter({ hasText: `${pro.length} traces` })).toBeVisible();
  await filter('route', "' OR 1=1; DROP TABLE traces --");
  await expect(
    page.getByRole('heading', { name: 'No traces in this time, with these filters' }),
  ).toBeVisible();
  await page.goBack();
  await expect(page.getByRole('status').filter({ hasText: `${pro.length} traces` })).toBeVisible();

  // The address is all that another needs.
  await page.reload();
  await expect(page.getByRole('status').filter({ hasText: `${pro.length} traces` })).toBeVisible();
  for (const name of ['browser = Firefox', 'shop.plan = pro']) await list.getByRole('link', { name }).click();
  await expect(page.getByRole('status').filter({ hasText: `${visits.length} traces` })).toBeVisible();

  // A figure, the traces behind it, and back.
  await page.getByRole('link', { name: 'Cannot read cart #' }).click();
  const behind = page.getByRole('region', { name: /^Traces: TypeError/ }).first();
  const failed = visits.filter(({ errors }) => errors[0]?.type === 'TypeError');
  await expect(behind.getByText(`${failed.length} traces`)).toBeVisible();
  await behind.getByRole('row').nth(1).getByRole('link').click();
  await expect(page.getByRole('treegrid')).toBeVisible();
  await page.getByRole('button', { name: 'Back to the overview' }).click();
  await expect(behind.getByText(`${failed.length} traces`)).toBeVisible();
  await page.getByRole('link', { name: 'Close the traces' }).click();
  await expect(behind).toHaveCount(0);
});

test('overview: dragging over the visits chooses their time, and what comes later counts', async ({
  page,
}) => {
  test.slow();
  await page.goto(`${view.url}#overview`);
  const plot = page.locator('.panel.wide .u-over').first();
  // Each answer draws the plot anew, until all is read.
  const read = page.getByRole('status').filter({ hasText: `${visits.length} traces of` });
  await expect(read.filter({ hasNotText: 'left' })).toBeVisible({ timeout: 60_000 });
  await expect(plot).toBeVisible();
  const box = await plot.boundingBox();
  if (!box) throw new Error('no plot');
  await page.mouse.move(box.x + box.width / 2, box.y + 50);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width - 10, box.y + 60, { steps: 4 });
  await page.mouse.up();
  await expect(page).toHaveURL(/from=\d+&until=\d+/);
  await expect(page.getByRole('textbox', { name: 'From' })).toBeVisible();
  const range = new URLSearchParams(new URL(page.url()).hash.slice(1));
  const [from, until] = [Number(range.get('from')), Number(range.get('until'))];
  const inside = visits.filter(({ start }) => start >= from && start < until);
  await expect(page.getByRole('status').filter({ hasText: `${inside.length} traces` })).toBeVisible();

  await page.getByRole('combobox', { name: 'Range of time' }).selectOption('7d');
  await expect(page).toHaveURL(/last=7d/);
  const status = page.getByRole('status').filter({ hasText: / traces of/ });
  await expect(status).toContainText(`${visits.length} traces`);
  const [late] = requestsOf(simulate(1, 99, Date.now() - 60_000));
  const other = JSON.stringify(late).replaceAll(/"traceId":"0{31}1"/g, `"traceId":"${'e'.repeat(32)}"`);
  await writeFile(path.join(folder, 'late.json.gz'), gzipSync(other));
  await expect(status).toContainText(`${visits.length + 1} traces`, { timeout: 20_000 });
  await rm(path.join(folder, 'late.json.gz'));
});

test('overview: axe finds nothing, light and dark, desktop and phone', async ({ page }) => {
  test.slow();
  await page.goto(`${view.url}#overview&by=browser&where=service%3Dshop`);
  await expect(page.getByRole('heading', { name: 'Slowest routes' })).toBeVisible({ timeout: 60_000 });
  await expectNoViolations(page, 'overview');
  await page.locator('.shares a').last().click();
  await expect(page.getByRole('region', { name: /^Traces: TTFB/ }).first()).toBeVisible();
  await expectNoViolations(page, 'traces behind a figure');
  await page.goto(`${view.url}#overview&from=1000&until=2000`);
  await expect(page.getByRole('heading', { name: 'No traces in this time' })).toBeVisible();
  await expectNoViolations(page, 'nothing in a range');
});

test('overview: the head fits a phone, with the way to each view', async ({ page }) => {
  await page.goto(`${view.url}#overview`);
  const head = page.getByRole('banner');
  await expect(head.getByText('Live', { exact: true })).toBeVisible();
  await expect(head.getByRole('navigation').getByRole('link')).toHaveText(VIEWS);
  for (const width of [320, 390]) {
    await page.setViewportSize({ width, height: 700 });
    await expect.poll(() => head.evaluate((box) => box.scrollWidth - box.clientWidth)).toBe(0);
  }
});

test('overview: without DuckDB it says what to install', async ({ page }) => {
  const bare = await startView(folder, tmpdir());
  await page.goto(`${bare.url}#overview`);
  await expect(page.getByRole('heading', { name: 'The overview needs DuckDB' })).toBeVisible();
  await expect(page.getByText('npm install @duckdb/node-api')).toBeVisible();
  await expectNoViolations(page, 'without DuckDB');
  await page.goto('about:blank');
  await bare.close();
});
