/**
 * An app that brings its own copy of OpenTelemetry, and the script tag: whichever comes first. Each copy of the API
 * finds only what no older copy has registered, and registers only beside its very own version.
 *
 * Tried: the API from 1.3 to 1.10 with the SDK 2 and 3, minified; the app before the tag, after it, and around it; the
 * API alone and with a provider; tracers that are older than the provider; `diag`, propagation, metrics and logs first;
 * a context manager first, and none; `disable()` and setting up again; two tags; our end while the app goes on.
 */
import type { Page } from '@playwright/test';
import { API_VERSIONS, type ApiVersion, bundleWith } from './opentelemetry/copies.mjs';
import { expect, type Site, test } from './support/fixtures.js';
import type { OtlpSpan } from './support/otlp.js';
import { plainPage } from './support/page-source.js';
import { NO_PARTS } from './support/parts.mjs';

declare global {
  var app: { play(steps: readonly string[]): unknown[] };
  var service: string;
  var own: { flush(): Promise<string[]> };
}

const SET_UP = ['setTracerProvider', 'setContextManager', 'setOthers'];

/** Ways to set up, of which each is played with and without us. */
const STORIES: Record<string, readonly string[]> = {
  'all at once': [...SET_UP, 'work', 'lines'],
  'its logger first': ['setLogger', ...SET_UP, 'work', 'lines'],
  'its context manager first': ['setContextManager', 'setTracerProvider', 'work'],
  'others of its globals first': ['setOthers', 'setTracerProvider', 'work'],
  'no context manager': ['setTracerProvider', 'work'],
  'set up again': [...SET_UP, 'work', 'disable', 'work', ...SET_UP, 'work', 'lines'],
  'a second provider': ['setLogger', ...SET_UP, ...SET_UP, 'work', 'lines'],
};

const play = (page: Page, steps: readonly string[]): Promise<unknown[]> =>
  page.evaluate((steps) => globalThis.app.play(steps), steps);

/** Spans of the app, by name, each with its parent's name. */
function told(spans: readonly OtlpSpan[]): string[] {
  const nameOf = (id?: string) => spans.find(({ spanId }) => spanId === id)?.name ?? id;
  return spans
    .map(({ name, parentSpanId }) => (parentSpanId ? `${name} < ${nameOf(parentSpanId)}` : name))
    .sort();
}

const openTag = (site: Site, page: Page, head: string, body = '') =>
  site.open(page, NO_PARTS, { head, body });

for (const version of API_VERSIONS) {
  test.describe(`API ${version}`, () => {
    let code = '';
    test.beforeAll(async () => {
      code = await bundleWith(new URL('./opentelemetry/app.mjs', import.meta.url), version as ApiVersion);
    });

    for (const [name, steps] of Object.entries(STORIES)) {
      test(`${name}: as without us`, async ({ page, site }) => {
        const script = `<script>${code}</script>`;
        await page.goto(site.serve(plainPage().replace('</head>', `${script}</head>`)));
        const without = await play(page, steps);
        expect(JSON.stringify(without)).toContain('"name":"inner"');

        await openTag(site, page, script);
        expect(await play(page, steps), 'loaded before the tag').toEqual(without);
        await openTag(site, page, '', script);
        expect(await play(page, steps), 'loaded after the tag').toEqual(without);
        await openTag(site, page, `${script}<script>first = app.play(${JSON.stringify(steps)})</script>`);
        expect(await page.evaluate('first'), 'set up before the tag').toEqual(without);

        // We go on beside it.
        await page.evaluate(() => globalThis.spandrel.instance?.tracer.startSpan('ours').end());
        await site.expectStored(['ours']);
      });
    }

    test('spans before its provider are ours, and then its own, by the same tracers', async ({
      page,
      site,
    }) => {
      await openTag(site, page, '', `<script>${code}</script>`);
      await play(page, ['work']);
      const [, , , own] = await play(page, [...SET_UP, 'work']);
      expect(JSON.stringify(own)).toMatch(/"name":"early".*"name":"inner","parent":"outer"/);
      await site.expectStored(['early', 'inner', 'outer', 'within']);
    });

    test('an app without a provider shares ours, and our contexts', async ({ page, site }) => {
      await openTag(site, page, '', `<script>${code}</script>`);
      const [first] = await play(page, ['work']);
      expect(first).toMatchObject({
        work: { isRecording: true, isActive: true, value: 'kept', bound: true, isOver: true },
      });
      await expect
        .poll(async () => told(await site.spans()))
        .toEqual(['early', 'inner < outer', 'outer', 'within < outer']);

      // As it goes on after our end.
      await page.evaluate(() => globalThis.spandrel.instance?.shutdown());
      const [over] = await play(page, ['work']);
      expect(over).toMatchObject({ work: { isActive: false } });
      expect(await page.evaluate("globalThis[Symbol.for('opentelemetry.js.api.1')]")).toBe(undefined);
    });

    test('an app that bundles ours: the page, the app and the stock processor deliver', async ({
      page,
      site,
    }) => {
      const own = await bundleWith(
        new URL('./opentelemetry/own.mjs', import.meta.url),
        version as ApiVersion,
      );
      await page.goto(
        site.serve(
          plainPage().replace(
            '</body>',
            `<script>service = '${site.service}'</script><script>${own}</script></body>`,
          ),
        ),
      );
      await page.click('#act');
      await expect(async () => {
        expect(await page.evaluate(() => globalThis.own.flush())).toEqual(['stored', 'stored']);
        expect(told(await site.spans())).toEqual([
          'GET < click button#act',
          'by the stock processor',
          'click button#act',
          'work of the app < click button#act',
        ]);
      }).toPass();
    });

    test('two tags: the app between them records as without us, the first tag goes on', async ({
      page,
      site,
      allowConsole,
    }) => {
      allowConsole(/this page is traced already/);
      const script = `<script>${code}</script>`;
      await page.goto(site.serve(plainPage().replace('</head>', `${script}</head>`)));
      const steps = [...SET_UP, 'work', 'lines'];
      const without = await play(page, steps);
      const tag = `<script src="/dist/script.js" data-service="${site.service}" data-endpoint="/spandrel"></script>`;
      const keep = '<script>first = spandrel.instance</script>';
      await openTag(site, page, `${tag}${keep}${script}`);
      expect(await page.evaluate('first === spandrel.instance')).toBe(true);
      expect(await play(page, steps)).toEqual(without);

      // The second's copy of the API put nothing in the place of the first's.
      await page.evaluate(() => globalThis.spandrel.instance?.shutdown());
      const [result] = await play(page, ['work']);
      expect(JSON.stringify(result)).toContain('"name":"inner","parent":"outer"');
    });

    test('a logger and a propagator are no provider: ours is shared nonetheless', async ({ page, site }) => {
      const set = `<script>${code};app.play(['setLogger', 'setOthers'])</script>`;
      await openTag(site, page, set);
      await play(page, ['work']);
      await expect.poll(async () => told(await site.spans())).toEqual(['inner < outer', 'outer']);
    });

    test('ours is gone with us; what the app has set up stays', async ({ page, site }) => {
      await openTag(site, page, '', `<script>${code}</script>`);
      await play(page, SET_UP);
      await page.evaluate(() => globalThis.spandrel.instance?.shutdown());
      const [result] = await play(page, ['work']);
      expect(JSON.stringify(result)).toContain('"name":"inner","parent":"outer"');
    });
  });
}
