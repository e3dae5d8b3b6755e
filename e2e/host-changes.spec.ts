/** What a page does to itself after we have come, or has done before: everything goes on, or nothing begins, and nobody is harmed. */
import type { Page } from '@playwright/test';
import { expect, makeTraces, type Site, test } from './support/fixtures.js';
import { attributeOf } from './support/otlp.js';

const names = async (site: Site): Promise<string[]> => (await site.spans()).map(({ name }) => name);

/** Exceptions of ours, of which there are none. */
const exceptions = (page: Page): Promise<number | undefined> =>
  page.evaluate(() => globalThis.spandrel.instance?.stats().exceptions);

for (const [how, write] of [
  [
    'document.open()',
    () => {
      document.open();
      document.write('<!doctype html><title>Again</title><button id="again">Again</button>');
      document.close();
    },
  ],
  [
    'document.write()',
    () => document.write('<!doctype html><title>Again</title><button id="again">Again</button>'),
  ],
] as const) {
  test(`${how} after the load: errors, clicks, routes and last words are heard as before, once`, async ({
    page,
    site,
    allowConsole,
  }) => {
    allowConsole(/uncaught|favicon/);
    await site.open(page, {
      errors: true,
      interactions: true,
      routes: true,
      fetch: true,
      scheduledDelayMillis: 300_000,
    });
    await page.evaluate(write);
    await page.evaluate(() => {
      document.querySelector('#again')?.addEventListener('click', () => {
        history.pushState({}, '', '/written');
        void fetch('/icon.svg');
      });
      setTimeout(() => {
        throw new Error('uncaught');
      });
      return new Promise((resolve) => setTimeout(resolve, 10));
    });
    await page.click('#again');
    await page.waitForFunction(() => (globalThis.spandrel.instance?.stats().spans.created ?? 0) >= 3);
    expect(await exceptions(page)).toBe(0);
    await page.goto('about:blank');
    await expect
      .poll(() => names(site))
      .toEqual(expect.arrayContaining(['route /written', 'GET', 'error Error']));
    expect((await names(site)).filter((name) => /^(error|route|click)/.test(name))).toHaveLength(2);
  });
}

/** As Prototype.js 1.6 has them, and others of its time; and worse. */
const LIBRARIES: [name: string, code: string][] = [
  [
    'Prototype.js 1.6',
    `const quoted = (text) => '"' + text + '"';
    Array.prototype.toJSON = function () { return '[' + this.map((one) => quoted(one)).join(', ') + ']'; };
    String.prototype.toJSON = function () { return quoted(this); };
    Number.prototype.toJSON = function () { return String(this); };
    Date.prototype.toJSON = function () { return quoted(this.toISOString()); };
    Array.prototype.reduce = function () { return this.length > 1 ? this : this[0]; };
    Array.prototype.entries = function () { return [...this]; };
    Array.from = function (list) {
      if (!list) return [];
      let { length = 0 } = list;
      const results = new Array(length);
      while (length--) results[length] = list[length];
      return results;
    };
    Object.keys = function (object) { const keys = []; for (const key in object) keys.push(key); return keys; };
    window.Element = function () {};
    window.Hash = function () {};`,
  ],
  [
    'a toJSON for everything',
    `for (const one of [Object, Array, String, Number, Boolean, Date, Map, Function, BigInt])
      one.prototype.toJSON = function () { return 'other'; };`,
  ],
  ['JSON of another kind', `window.JSON = { encode() {}, decode() {} };`],
  ['JSON that throws', `JSON.stringify = JSON.parse = () => { throw new Error('json'); };`],
  [
    'enumerable members of all objects',
    `Object.prototype.extra = 'text'; Array.prototype.each = function () { throw new Error('each'); };
    Object.prototype.headers = undefined;`,
  ],
];
for (const [name, code] of LIBRARIES) {
  test(`${name}, loaded after us: what is sent stays as it was`, async ({ page, site }) => {
    await site.open(page, { fetch: true });
    await makeTraces(page, ['before']);
    await page.evaluate((text) => {
      const script = document.createElement('script');
      script.textContent = text;
      document.head.append(script);
    }, `{${code}}`);
    const at = '2026-01-02T03:04:05.000Z';
    await page.evaluate((iso) => {
      const span = globalThis.spandrel.instance?.tracer.startSpan('after', { root: true } as never);
      span?.setAttribute('list', ['a"', 'b']);
      span?.setAttribute('numbers', [1, 2]);
      span?.setAttribute('link', 'https://a.test/?q="x"');
      span?.addEvent('thing', { list: ['c'] });
      span?.end();
      globalThis.spandrel.instance?.tracer
        .startSpan('dated', { startTime: new Date(iso), root: true } as never)
        .end();
    }, at);
    await site.expectStored(['before', 'after', 'dated']);
    const after = (await site.spans()).find(({ name: own }) => own === 'after');
    const list = after?.attributes?.find(({ key }) => key === 'list')?.value;
    expect(list).toEqual({ arrayValue: { values: [{ stringValue: 'a"' }, { stringValue: 'b' }] } });
    expect(attributeOf(after?.attributes, 'link')).toBe('https://a.test/?q=REDACTED');
    await expect
      .poll(() =>
        page.evaluate(() => {
          const { spans, requests } = globalThis.spandrel.instance?.stats() ?? {};
          return [spans?.stored, requests?.exchangeFailures];
        }),
      )
      .toEqual([3, 0]);
    expect(await exceptions(page)).toBe(0);
    await page.goto('about:blank');
  });
}

test('a foreign <base>, before us or after: paths are of the page, what the page asks for is where it asks', async ({
  page,
  site,
}) => {
  const foreign = site.mock.bucketOrigin;
  const seen: string[] = [];
  page.on('request', (request) => void seen.push(`${request.method()} ${request.url()}`));
  const { origin } = site.host;
  const head = `<base href="${foreign}/assets/">`;
  const data = `data-service="${site.service}" data-endpoint="/spandrel" data-scheduled-delay-millis="0"`;
  const tag = `<script src="${origin}/dist/script.js" ${data}></script>`;
  const html = (inHead: string): string =>
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A</title><link rel="icon" href="data:,">${inHead}</head><body></body></html>`;
  for (const inHead of [head + tag, tag + head]) {
    await page.goto(site.serve(html(inHead)));
    await page.evaluate(() =>
      globalThis.spandrel.instance?.tracer.startSpan('own', { root: true } as never).end(),
    );
    await expect.poll(() => names(site)).toContain('own');
    await site.mock.bucket.clear();
  }
  expect(seen.filter((line) => line.startsWith(`POST ${foreign}`))).toEqual([]);
  expect(seen.filter((line) => line.startsWith(`POST ${origin}/spandrel`)).length).toBeGreaterThan(1);
});

test('srcdoc: a path is of the origin that the frame has from its page', async ({ page, site }) => {
  const data = `data-service="${site.service}" data-endpoint="/spandrel" data-scheduled-delay-millis="0"`;
  const tag = `<script src="/dist/script.js" ${data}></script>
    <script>spandrel.instance.tracer.startSpan('framed', { root: true }).end()</script>`;
  const frame = `<iframe srcdoc="${tag.replaceAll('"', '&quot;')}"></iframe>`;
  await page.goto(site.serve(`<!doctype html><title>A</title><link rel="icon" href="data:,">${frame}`));
  await expect.poll(() => names(site)).toContain('framed');
});

/** What tests and old pages take away, and what becomes of it. */
const GONE: [name: string, code: string, isTraced: boolean][] = [
  ['fetch', 'delete window.fetch; delete Window.prototype.fetch', false],
  ['fetch, an element in its place', 'delete window.fetch; named = "fetch"', false],
  ['AbortController', 'delete window.AbortController', false],
  ['crypto', 'Object.defineProperty(window, "crypto", { value: undefined })', false],
  ['crypto.getRandomValues', 'Crypto.prototype.getRandomValues = undefined', false],
  ['performance', 'Object.defineProperty(window, "performance", { value: undefined })', false],
  ['TextEncoder and TextDecoder', 'delete window.TextEncoder; delete window.TextDecoder', false],
  ['Blob', 'delete window.Blob', false],
  ['XMLHttpRequest', 'delete window.XMLHttpRequest', true],
  ['PerformanceObserver', 'delete window.PerformanceObserver', true],
  ['MutationObserver', 'delete window.MutationObserver', true],
  ['crypto.subtle', 'Object.defineProperty(Crypto.prototype, "subtle", { value: undefined })', true],
  ['structuredClone', 'delete window.structuredClone', true],
  ['Request and Response', 'delete window.Request; delete window.Response', true],
  ['IndexedDB', 'Object.defineProperty(window, "indexedDB", { value: undefined })', true],
  ['IndexedDB that throws', 'IDBFactory.prototype.open = () => { throw new Error("idb") }', true],
  [
    'localStorage that throws',
    'Object.defineProperty(window, "localStorage", { get() { throw new Error("no") } })',
    true,
  ],
  ['sendBeacon', 'Navigator.prototype.sendBeacon = undefined', true],
];
for (const [name, code, isTraced] of GONE) {
  test(`a page without ${name}: start() throws nothing, and ${isTraced ? 'all is traced' : 'says so once'}`, async ({
    page,
    site,
    allowConsole,
  }) => {
    allowConsole(/nothing is traced/);
    const said: string[] = [];
    page.on('console', (message) => void said.push(message.text()));
    const start = JSON.stringify({ service: site.service, endpoint: '/spandrel', scheduledDelayMillis: 0 });
    await page.goto(
      site.serve(`<!doctype html><title>A</title><link rel="icon" href="data:,"><body><script>
        let named; { ${code} }
        if (named) document.body.append(Object.assign(document.createElement('form'), { id: named }));
      </script><script src="/dist/script.js"></script><script>
        try {
          globalThis.seen = [];
          const one = spandrel.start(${start});
          one.tracer.startSpan('own', { root: true }).end();
          one.recordException(new Error('caught'));
          one.setConsent('granted');
          one.mark();
          seen.push(typeof one.stats().state);
          one.flush().then((result) => seen.push(result));
        } catch (error) { seen.push(String(error)); }
      </script>`),
    );
    await expect.poll(() => page.evaluate(() => globalThis.seen.length)).toBe(2);
    const [state, flushed] = await page.evaluate(() => globalThis.seen);
    expect(state).toBe('string');
    const told = said.filter((line) => line.includes('nothing is traced'));
    expect(told).toHaveLength(isTraced ? 0 : 1);
    if (isTraced) await expect.poll(() => names(site)).toContain('own');
    else expect(flushed).toBe('lost');
    await page.goto('about:blank');
  });
}
