/** The shop as it would be published: minified, its source maps in the bucket. Its checkout's error can be read. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';
import terserModule from '@rollup/plugin-terser';
import checker from 'axe-core';
import { rollup } from 'rollup';
import { expect, type Site, test } from './support/fixtures.js';
import { startView } from './support/view.js';

const RELEASE = '1.4.2';
const ROOT = fileURLToPath(new URL('../', import.meta.url));
/** As the map tells it. */
const FILE = 'demo/shop/check-out.mjs';
const terser = terserModule as unknown as typeof terserModule.default;

/** Builds the shop with the plugin. @returns the code, whose maps are in the bucket, and what removes them. */
async function buildShop({ mock }: Site): Promise<{ code: string; clear(): Promise<void> }> {
  const folder = await mkdtemp(path.join(ROOT, '.cache/shop-'));
  // By names that the compiler does not follow: they are built later than this.
  const [plugins, server] = await Promise.all(
    ['plugin', 'server'].map((name) => import(new URL(`../dist/${name}.js`, import.meta.url).href)),
  );
  const storage = server.s3(mock.owner);
  try {
    const built = await rollup({
      input: path.join(ROOT, 'demo/shop/app.mjs'),
      external: /^\/vendor\//,
      plugins: [plugins.rollup({ release: RELEASE, storage }), terser()],
    });
    const { output } = await built.write({ file: path.join(folder, 'shop/app.mjs'), format: 'es' });
    await built.close();
    expect(output.map(({ fileName }) => fileName)).toContain('app.mjs.map');
    await expect(readFile(path.join(folder, 'shop/app.mjs.map'))).rejects.toThrow('ENOENT');
    return {
      code: await readFile(path.join(folder, 'shop/app.mjs'), 'utf8'),
      async clear() {
        for (const { key } of (await storage.list('maps/')).objects) await storage.delete(key);
      },
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Opens the shop that was built, and checks out what cannot be checked out. */
async function checkOut(page: Page, { host }: Site, code: string): Promise<void> {
  const html = await (await fetch(host.origin)).text();
  host.route('/', (_req, res) =>
    res
      .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
      .end(html.replace('data-service', `data-version="${RELEASE}" data-service`)),
  );
  host.route('/shop/app.mjs', (_req, res) =>
    res.writeHead(200, { 'content-type': 'text/javascript' }).end(code),
  );
  await page.goto(host.origin);
  await page.getByRole('region', { name: 'Consent' }).getByRole('button', { name: 'Agree' }).click();
  await page.getByRole('link', { name: /Trowel/ }).click();
  await page.getByRole('button', { name: 'Add to cart' }).click();
  await page.getByRole('link', { name: /^Cart/ }).click();
  await page.getByRole('button', { name: 'Check out' }).click();
}

// Pages are replaced here, so the host is this file's own.
test.use({ mockOptions: { storage: {} } });

test("maps: the shop's checkout error is a group with a readable stack, and stands so in its trace", async ({
  page,
  context,
  site,
  allowConsole,
  browserName,
}) => {
  test.slow();
  allowConsole(/TypeError/);
  const { code, clear } = await buildShop(site);
  await checkOut(page, site, code);
  const stored = async (): Promise<string> => JSON.stringify(await storedSpans(site));
  await expect.poll(stored).toContain('exception.stacktrace');
  expect(await stored(), 'the page tells only what is minified').not.toContain('check-out.mjs');

  const { owner } = site.mock;
  const view = await startView({
    flags: ['--bucket', owner.bucket, '--s3-endpoint', owner.endpoint, '--last', 'all'],
    env: { AWS_ACCESS_KEY_ID: owner.accessKeyId, AWS_SECRET_ACCESS_KEY: owner.secretAccessKey },
  });
  const viewer = await context.newPage();
  try {
    await viewer.goto(`${view.url}#errors`);
    const error = viewer.getByRole('listbox').getByRole('option', { name: /TypeError/ });
    await expect(error).toContainText(`checkOut (${FILE})`);
    await expect(error).toContainText('1 visit');
    await error.click();
    await expect(viewer.getByRole('heading', { level: 1, name: 'TypeError' })).toBeVisible();
    await expect(viewer.getByText(RELEASE).first()).toBeVisible();

    const source = await readFile(path.join(ROOT, FILE), 'utf8');
    const line = source.split('\n').findIndex((text) => text.includes('address.street')) + 1;
    const region = viewer.getByRole('region', { name: `${FILE}, line ${line}` });
    await expect(region).toContainText('const { items, address } = order;');
    await expect(region.locator('.at')).toContainText('address.street');
    if (browserName === 'chromium') await expectAccessible(viewer);

    await viewer.getByRole('button', { name: 'As the browser wrote it' }).click();
    await expect(viewer.getByText(/\/shop\/app\.mjs:\d+:\d+/).first()).toBeVisible();

    await viewer.getByRole('link', { name: 'Trace click Check out' }).click();
    const details = viewer.getByRole('complementary');
    await expect(details.getByRole('region', { name: `${FILE}, line ${line}` })).toBeVisible();
    await viewer.goBack();
    await expect(error).toBeVisible();
    await viewer.keyboard.press('Escape');
    await expect(viewer.getByText('Pick an error')).toBeVisible();
    // A link to it shows it, once its stack is known.
    await error.click();
    await viewer.reload();
    await expect(region).toBeVisible();
    await viewer.goto('about:blank');
  } finally {
    await view.close();
    await clear();
  }
});

/** Of whatever service: the shop's page names its own. */
async function storedSpans({ mock }: Site): Promise<unknown[]> {
  const { gunzipSync } = await import('node:zlib');
  const objects = (await mock.bucket.list()).filter(({ key }) => key.endsWith('.json.gz'));
  return Promise.all(objects.map(async ({ key }) => String(gunzipSync((await mock.bucket.get(key)) ?? ''))));
}

async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(checker.source);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.evaluate(
      () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
    );
    const { violations } = await page.evaluate(() =>
      globalThis.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag22aa', 'best-practice'] }),
    );
    expect(
      violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`)),
      colorScheme,
    ).toEqual([]);
  }
}
