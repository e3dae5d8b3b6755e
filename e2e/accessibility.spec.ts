/** axe-core on every page of the shop and of the viewer, in light and in dark, on a desk and on a phone. */
import type { BrowserContext, Page } from '@playwright/test';
import { put, uploads } from '../demo/testing/client.mjs';
import { visitObjects } from '../demo/testing/visits.mjs';
import { expectNoViolations } from './support/axe.js';
import { expect, test } from './support/fixtures.js';

// The rules are about what is drawn from one and the same markup.
test.skip(({ browserName }) => browserName !== 'chromium', 'once is enough');

test('accessibility: each page of the shop', async ({ page, site, allowConsole }) => {
  test.slow();
  allowConsole(/status of 404/);
  const { origin } = site.host;
  const heading = (name: RegExp) => expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
  await page.goto(origin);
  await heading(/Small things/);
  await expectNoViolations(page, 'home, before consent');
  await page.getByRole('button', { name: 'No, thanks' }).click();
  await expectNoViolations(page, 'home, refused');
  await page.getByRole('button', { name: 'Agree after all' }).click();
  await expectNoViolations(page, 'home, agreed');
  await page.getByRole('link', { name: /^Cart/ }).click();
  await heading(/empty/);
  await expectNoViolations(page, 'empty cart');
  await page.goto(`${origin}/shop/product/trowel`);
  await heading(/Trowel/);
  await page.getByRole('button', { name: 'Add to cart' }).click();
  await expect(page.getByText('is in your cart')).toBeVisible();
  await expectNoViolations(page, 'product, with a notice');
  await page.getByRole('link', { name: /^Cart/ }).click();
  await heading(/Your cart/);
  await expectNoViolations(page, 'cart');
  for (const [path, title] of [
    ['/shop/slow', /cathedral/],
    ['/shop/about', /How it works/],
    ['/shop/nothing', /No such page/],
    ['/shop/product/nothing', /did not load/],
    ['/no/such/page', /No such page/],
  ] as const) {
    await page.goto(origin + path);
    await heading(title);
    await expectNoViolations(page, path);
  }
});

test('accessibility: each page of the viewer', async ({ context, site }) => {
  test.slow();
  const { host } = site;
  await host.mock.bucket.clear();
  const open = async (of: BrowserContext, hash = ''): Promise<Page> => {
    const viewer = await of.newPage();
    await viewer.goto(`${host.origin}/viewer/${hash}`);
    await expect(viewer.getByText('Live', { exact: true })).toBeVisible();
    return viewer;
  };
  const viewer = await open(context);
  await expect(viewer.getByText('The bucket is empty')).toBeVisible();
  await expectNoViolations(viewer, 'empty');
  for (const bytes of visitObjects({ sessions: 2 })) {
    const [upload] = await uploads(`${host.origin}/spandrel`, host.origin, 1, bytes.length);
    expect(upload && (await put(upload, bytes)).status).toBe(200);
  }
  const options = viewer.getByRole('listbox').getByRole('option');
  await expect(options).toHaveCount(8);
  await expectNoViolations(viewer, 'list');
  await viewer.getByRole('searchbox').fill('nothing has this name');
  await expect(viewer.getByText('No trace matches')).toBeVisible();
  await expectNoViolations(viewer, 'list without a match');
  await viewer.getByRole('searchbox').clear();

  await options.filter({ hasText: 'load /' }).first().click();
  await expect(viewer.getByRole('treegrid')).toBeVisible();
  await expectNoViolations(viewer, 'trace');
  await viewer.getByRole('row', { name: /GET/ }).click();
  await expect(viewer.getByRole('complementary')).toBeVisible();
  await expectNoViolations(viewer, 'details');
  await viewer.getByRole('tab', { name: /Raw/ }).click();
  await expect(viewer.getByText('resourceSpans').first()).toBeVisible();
  await expectNoViolations(viewer, 'raw');

  await viewer.getByRole('link', { name: 'Sessions' }).click();
  await expect(options).toHaveCount(2);
  await expectNoViolations(viewer, 'sessions');
  await options.first().click();
  await expect(viewer.getByRole('article')).toBeVisible();
  await expectNoViolations(viewer, 'story');
  await viewer.getByRole('link', { name: 'Overview' }).click();
  await expect(viewer.getByRole('heading', { name: /^(Visits|The overview needs DuckDB)$/ })).toBeVisible();
  await expectNoViolations(viewer, 'overview');
  for (const hash of [`#trace=${'f'.repeat(32)}`, '#session=nobody']) {
    const lost = await open(context, hash);
    await expect(lost.getByText('is not here')).toBeVisible();
    await expectNoViolations(lost, hash);
  }
});
