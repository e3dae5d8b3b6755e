/**
 * Elements whose names are those of the browser's own properties: `<img name="currentScript">` is
 * `document.currentScript`. Tried: every property that we, or `web-vitals`, read of `document`, and what a page's tools
 * read there; of `window` what a browser may lack, and our own; of a form what we read of elements.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from './support/fixtures.js';
import { attributeOf } from './support/otlp.js';

const STUB = readFileSync(new URL('../dist/stub.js', import.meta.url), 'utf8');

const DOCUMENT = [
  ...[
    'currentScript',
    'visibilityState',
    'readyState',
    'prerendering',
    'baseURI',
    'querySelector',
    'wasDiscarded',
  ],
  ...[
    'addEventListener',
    'removeEventListener',
    'createElement',
    'documentElement',
    'body',
    'title',
    'cookie',
  ],
  ...[
    'defaultView',
    'scripts',
    'hidden',
    'URL',
    'nodeType',
    'implementation',
    'ownerDocument',
    'getElementById',
  ],
];
const EVIL =
  'data-service="evil" data-endpoint="https://evil.invalid/x" data-src="https://evil.invalid/file.js"';
const images = DOCUMENT.map((name) => `<img name="${name}" alt="" ${EVIL}>`).join('');
const forms = `<form name="currentScript" ${EVIL}></form><iframe name="currentScript" hidden></iframe>`;

const TRACEPARENT = '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01';

for (const [name, named] of [
  ['an image', images],
  ['several, a form and a frame among them', images + forms],
] as const) {
  for (const [form, tagOf] of [
    ['tag', (data: string) => `<script src="/dist/script.js" ${data}></script>`],
    ['async tag', (data: string) => `<script async src="/dist/script.js" ${data}></script>`],
    ['stub', (data: string) => `<script data-src="/dist/script.js" ${data}>${STUB}</script>`],
  ] as const) {
    test(`named elements: ${name} for each property of the document, a ${form}: nothing of them is believed`, async ({
      page,
      site,
    }) => {
      const strange: string[] = [];
      page.on('request', (request) => {
        if (request.url().includes('evil')) strange.push(request.url());
      });
      site.host.route('/api', (_req, res) => void res.end('ok'));
      const data = `data-service="${site.service}" data-endpoint="/spandrel" data-scheduled-delay-millis="0"`;
      const url = site.serve(
        `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>
        <meta name="traceparent" content="${TRACEPARENT}"><link rel="icon" href="data:,"></head>
        <body><button id="act">Act</button>${named}${tagOf(data)}</body></html>`,
      );
      await page.goto(url);
      await page.waitForFunction(() => globalThis.spandrel?.instance);
      await page.evaluate(() => fetch('/api').then((answer) => answer.text()));
      await expect
        .poll(async () => (await site.spans()).map(({ name }) => name))
        .toEqual(expect.arrayContaining(['documentFetch', 'GET']));
      // What ended as the page leaves goes as it leaves.
      await page.evaluate(() => {
        addEventListener('pagehide', () => {
          globalThis.spandrel.instance?.tracer.startSpan('last', { root: true }).end();
        });
      });
      await page.evaluate(() => globalThis.spandrel.instance?.tracer.startSpan('late', { root: true }).end());
      await page.goto('about:blank');
      await expect.poll(async () => (await site.spans()).map(({ name }) => name)).toContain('late');
      const spans = await site.spans();
      const load = spans.find(({ name }) => name.startsWith('load '));
      expect(load?.traceId, 'the HTML’s parent').toBe(TRACEPARENT.split('-')[1]);
      const [request] = spans.filter(({ name }) => name === 'GET');
      expect(attributeOf(request?.attributes, 'url.full')).toBe(`${site.host.origin}/api`);
      expect(strange).toEqual([]);
    });
  }
}

test('named elements: what a browser lacks of the window, and our own name, are no elements', async ({
  page,
  site,
}) => {
  // Not `requestIdleCallback`, which Safari lacks: the test's driver cannot do without.
  const lacking = ['scheduler', 'fetchLater', 'navigation', 'CompressionStream', 'Zone'];
  const ids = [...lacking, 'AsyncContext', 'mozInnerScreenX', 'trustedTypes', 'PageRevealEvent'];
  const fields = [
    'yield',
    'current',
    'Variable',
    'addEventListener',
    'currentEntry',
    'queue',
    'early',
    'instance',
  ];
  const inputs = fields.map((name) => `<input name="${name}">`).join('');
  const named = ids.map((id) => `<form id="${id}">${inputs}</form>`).join('');
  const gone = `<script>for (const name of ${JSON.stringify(lacking)}) delete window[name];</script>`;
  const data = `data-service="${site.service}" data-endpoint="/spandrel" data-scheduled-delay-millis="0"`;
  const ours = `<form id="spandrel">${inputs}</form><iframe name="spandrel" hidden></iframe>`;
  const url = site.serve(
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>
    <link rel="icon" href="data:,">${gone}</head><body>${named}${ours}
    <script data-src="/dist/script.js" ${data}>${STUB}</script></body></html>`,
  );
  await page.goto(url);
  await page.waitForFunction(() => globalThis.spandrel?.instance?.tracer);
  const seen = await page.evaluate(async () => {
    const { instance } = globalThis.spandrel;
    history.pushState({}, '', '#/there');
    instance?.tracer.startActiveSpan('active', (span) => span.end());
    // Large enough for the browser's own compressor.
    const large = instance?.tracer.startSpan('large', { root: true });
    large?.setAttribute('noise', Array.from({ length: 20_000 }, Math.random).join());
    large?.end();
    await new Promise((resolve) => setTimeout(resolve));
    return instance?.stats().exceptions;
  });
  expect(seen).toBe(0);
  await expect
    .poll(async () => (await site.spans()).map(({ name }) => name))
    .toEqual(expect.arrayContaining(['large', 'active']));
  expect(await page.evaluate(() => globalThis.spandrel.instance?.stats().exceptions)).toBe(0);
});

test('named elements: a form’s fields are not its properties', async ({ page, site }) => {
  const names = [
    'id',
    'localName',
    'tagName',
    'nodeType',
    'classList',
    'parentElement',
    'getAttribute',
    'type',
  ];
  const fields = [...names, 'matches', 'closest', 'isContentEditable', 'addEventListener', 'dataset']
    .map((name) => `<input name="${name}">`)
    .join('');
  const body = `<div id="shop"><form class="b a" style="padding: 20px" onsubmit="return false">${fields}<p id="inside">Buy</p></form></div>`;
  await site.open(page, { interactions: true, fetch: true }, { body });
  const selectors = await page.evaluate(async () => {
    const { selectorOf } = await import(`${'/esm/spa/selector.js'}`);
    const form = document.querySelector('form');
    return [selectorOf(form), selectorOf(form?.querySelector('p')?.firstChild), selectorOf(null)];
  });
  expect(selectors).toEqual(['#shop>form.a.b', '#inside', '']);
  await page.evaluate(() => {
    // The work that a click leads to; else nothing is left of it.
    document.querySelector('#shop')?.addEventListener('click', () => void fetch('/icon.svg'));
  });
  await page.click('#inside');
  await expect.poll(async () => (await site.spans()).map(({ name }) => name)).toContain('click p#inside');
  // By its place: the driver too asks the form for its properties.
  const box = await page.locator('#shop').boundingBox();
  await page.mouse.click((box?.x ?? 0) + 5, (box?.y ?? 0) + 5);
  await expect
    .poll(async () => (await site.spans()).filter(({ name }) => /^click form/.test(name)))
    .toHaveLength(1);
  expect(await page.evaluate(() => globalThis.spandrel.instance?.stats().exceptions)).toBe(0);
});
