import type { Page } from '@playwright/test';
import { bundlePage } from './support/bundle-page.mjs';
import { expect, type Site, test } from './support/fixtures.js';
import { attributeOf, type OtlpSpan } from './support/otlp.js';
import { tagPage } from './support/page-source.js';
import { NO_PARTS } from './support/parts.mjs';

const ON = { documentLoad: true, fetch: true, routes: true, interactions: true, errors: true };

type Chunks = Awaited<ReturnType<typeof bundlePage>>;

/** Serves the app at `/app`; its routes are addresses below. */
async function openApp(page: Page, { host, service }: Site, chunks: Chunks): Promise<void> {
  for (const { fileName, code } of chunks) {
    host.page(`/bundles/${fileName}`, code, { type: 'text/javascript' });
  }
  const body = `<div id="app"></div><script type="module" src="/bundles/${chunks[0]?.fileName}"></script>`;
  const options = { service, endpoint: '/spandrel', scheduledDelayMillis: 0, ...NO_PARTS, ...ON };
  host.page('/app', tagPage(options, { body }));
  await page.goto(`${host.origin}/app`);
}

/** Each root with what lies below it: what was fetched by its query, and what was thrown. */
function tellTraces(spans: OtlpSpan[]): string[][] {
  const startOf = ({ startTimeUnixNano }: OtlpSpan): number => Number(BigInt(startTimeUnixNano) / 1000n);
  const sorted = [...spans].sort((a, b) => startOf(a) - startOf(b));
  return sorted
    .filter(({ parentSpanId }) => !parentSpanId)
    .map((root) => [
      root.name,
      ...sorted
        .filter(({ parentSpanId, name }) => parentSpanId === root.spanId && name === 'GET')
        .map(({ attributes }) => String(attributeOf(attributes, 'url.full')).replace(/.*\?|=.*/g, '')),
      ...(root.events ?? [])
        .filter(({ name }) => name === 'exception')
        .map(({ attributes }) => `${attributeOf(attributes, 'exception.message')}, ${root.status?.code}`),
    ]);
}

for (const framework of ['react', 'vue', 'plain']) {
  test.describe(framework, () => {
    let chunks: Chunks = [];
    test.beforeAll(async () => {
      chunks = await bundlePage(new URL(`./frameworks/${framework}.mjs`, import.meta.url));
    });

    test('a trace for each load, route and click, with what belongs to it', async ({
      page,
      site,
      allowConsole,
    }) => {
      allowConsole(/in handler/);
      let release = (): void => {};
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      site.host.route('/held', (_req, res) => void held.then(() => res.end('late')));
      const answered = async (what: string, task: () => Promise<unknown>): Promise<void> => {
        const answer = page.waitForResponse((response) => response.url().endsWith(`?${what}`));
        await task();
        await (await answer).finished();
      };

      await answered('home', () => openApp(page, site, chunks));
      await answered('after-await', () => page.click('#to-product'));
      await page.click('#throw');
      await page.click('#to-broken');
      await page.getByText('Sorry').waitFor();
      await answered('after-await', () => page.evaluate(() => history.back()));
      const asked = page.waitForRequest('**/held?held');
      await page.click('#to-late');
      await asked;
      await answered('home', () => page.click('#to-home'));
      await answered('held', async () => release());

      await expect
        .poll(async () => tellTraces(await site.spans()))
        .toEqual([
          ['load /app', 'home'],
          ['route /app/products/:id', 'loader', 'after-await'],
          ['click button#throw', 'in handler, 2'],
          ['route /app/broken', 'in render, 2'],
          ['route /app/products/:id', 'loader', 'after-await'],
          // It was left before the answer came.
          ['route /app/late', 'held'],
          ['route /app', 'home'],
        ]);
    });
  });
}
