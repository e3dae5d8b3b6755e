import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { expect, letTimePass, type Site, test } from './support/fixtures.js';
import { attributeOf, type OtlpSpan } from './support/otlp.js';
import { IMPORT_MAP } from './support/vendor.mjs';

declare global {
  var results: Record<string, unknown>;
}

const built = (name: string): string => readFileSync(new URL(`../dist/${name}`, import.meta.url), 'utf8');
const STUB = built('stub.js');
const SCRIPT_HASH = built('script.js.sri');
const STUB_HASH = built('stub.js.sri');

const html = (head: string, body = ''): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title><link rel="icon" href="data:,">
${head}</head><body><button id="act">Act</button>${body}</body></html>`;

/** Nothing but the spans that the test makes, at once, unless `more` says otherwise. */
const dataOf = (site: Site, more = ''): string =>
  `data-service="${site.service}" data-endpoint="/spandrel" data-scheduled-delay-millis="0"
  data-document-load="false" data-web-vitals="false" data-interactions="false" data-resources="false"
  data-long-frames="false" ${more}`;

const stubTag = (attributes: string): string => `<script ${attributes}>${STUB}</script>`;

/** Serves the script's first file only once the result has been called. */
function heldScript(site: Site): () => void {
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  site.host.route('/held.js', async (_req, res) => {
    await held;
    res.writeHead(200, { 'content-type': 'text/javascript' }).end(built('script.js'));
  });
  site.host.route('/late.js', (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/javascript' }).end(built('late.js'));
  });
  return release;
}

const exceptionOf = ({ events = [] }: OtlpSpan): unknown => {
  const { attributes } = events.find(({ name }) => name === 'exception') ?? {};
  return attributeOf(attributes, 'exception.message');
};

/** Keeps the console's warnings and errors in the page: Firefox tells the driver little of them. */
const KEEP_LINES = `<script>
  globalThis.lines = [];
  console.warn = console.error = (...args) => void lines.push(args.map(String).join(' '));
</script>`;
const linesOf = (page: Page): Promise<string[]> => page.evaluate('lines');

test('stub: calls and errors before the file came are made up for, in order and at their time', async ({
  page,
  site,
  allowConsole,
}) => {
  allowConsole(/exception: Error: (uncaught|rejected)/, /exception: .*(uncaught|rejected)/);
  const release = heldScript(site);
  const early = `<script>
    globalThis.results = { at: performance.now() };
    spandrel.recordException(new Error('caught'));
    spandrel.flush().then((result) => { results.flushed = result; });
    spandrel.setConsent('granted').then(() => { results.decided = true; });
    setTimeout(() => { throw new Error('uncaught'); });
    Promise.reject(new Error('rejected'));
  </script>`;
  const url = site.serve(html(stubTag(`${dataOf(site)} data-src="/held.js"`) + early));
  await page.goto(url, { waitUntil: 'commit' });
  const isStub = () =>
    page.evaluate(() => [typeof globalThis.spandrel?.instance, performance.now()] as const);
  await expect.poll(() => page.evaluate(() => document.readyState !== 'loading')).toBe(true);
  await letTimePass(page, 200);
  const [instance, lateMillis] = await isStub();
  expect(instance).toBe('undefined');
  release();
  await site.expectStored(['error Error', 'error Error', 'error Error']);
  const spans = await site.spans();
  expect(spans.map(exceptionOf).sort()).toEqual(['caught', 'rejected', 'uncaught']);
  const [timeOrigin, at] = await page.evaluate(
    () => [performance.timeOrigin, Number(results['at'])] as const,
  );
  for (const span of spans) {
    const millis = Number(BigInt(span.startTimeUnixNano) / 1_000_000n) - timeOrigin;
    expect(millis).toBeGreaterThan(at - 50);
    expect(millis).toBeLessThan(lateMillis - 100);
  }
  await expect.poll(() => page.evaluate(() => results['flushed'])).toMatch(/stored|waiting/);
  expect(await page.evaluate(() => results['decided'])).toBe(true);

  // From here on the file's own functions do the same.
  await page.evaluate(() => globalThis.spandrel.recordException(new Error('late')));
  await expect.poll(async () => (await site.spans()).map(exceptionOf)).toContain('late');
  expect(await page.evaluate(() => globalThis.spandrel.flush())).toBe('stored');
});

test('stub: a start that waited, under what was decided before', async ({ page, site }) => {
  const options = {
    service: site.service,
    endpoint: '/spandrel',
    documentLoad: false,
    scheduledDelayMillis: 0,
  };
  const calls = `<script>
    spandrel.setConsent('granted');
    spandrel.start(${JSON.stringify(options)}).then(({ tracer }) => tracer.startSpan('a').end());
  </script>`;
  // The page's own tag, which the stub waits for.
  await page.goto(site.serve(html(`${stubTag('')}${calls}<script async src="/dist/script.js"></script>`)));
  await expect.poll(async () => (await site.spans()).map(({ name }) => name)).toContain('a');

  const denied = `${KEEP_LINES}${stubTag('')}<script>spandrel.setConsent('perhaps')</script>
    <script async src="/dist/script.js" ${dataOf(site)}></script>`;
  await page.goto(site.serve(html(denied)));
  await expect.poll(() => linesOf(page)).toEqual([expect.stringContaining('data-consent')]);
  expect(await page.evaluate(() => globalThis.spandrel.instance)).toBe(undefined);
});

for (const [name, tagsOf] of [
  ['inserted by the stub', (data: string) => stubTag(`${data} data-src="/none.js"`)],
  ['written by the page', (data: string) => `${stubTag(data)}<script async src="/none.js" ${data}></script>`],
] as const) {
  test(`stub: a file ${name} that does not come is reported once`, async ({ page, site, allowConsole }) => {
    allowConsole(/none\.js/);
    const other = '<script src="/other-none.js"></script><img src="/none.png" alt="">';
    allowConsole(/other-none\.js|none\.png/);
    await page.clock.install();
    await page.goto(site.serve(html(other + tagsOf(dataOf(site)) + other)));
    await expect.poll(() => site.lost()).toEqual([{ 'script-failed': 1 }]);
    await page.clock.fastForward(40_000);
    await page.evaluate(() => fetch('/icon.svg'));
    expect(site.lost()).toEqual([{ 'script-failed': 1 }]);
  });
}

for (const [name, more, early] of [
  ['denied by the tag', 'data-consent="denied"', ''],
  ['pending by the tag', 'data-consent="pending"', ''],
  ['denied by a call', '', "spandrel.setConsent('denied')"],
  [
    'granted and then denied',
    'data-consent="granted"',
    "spandrel.setConsent('granted'); spandrel.setConsent('denied')",
  ],
  [
    'denied before start() says otherwise',
    '',
    "spandrel.setConsent('denied'); spandrel.start({ consent: 'granted' })",
  ],
  ['pending by start()', '', "spandrel.start({ service: 'a', consent: 'pending' })"],
  ['refused by Global Privacy Control', 'data-respect-global-privacy-control', ''],
] as const) {
  test(`stub: consent ${name}: nobody is told that the file did not come`, async ({
    page,
    site,
    allowConsole,
  }) => {
    allowConsole(/none\.js/);
    await page.clock.install();
    const control = `<script>Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { value: ${name.includes('Global')} })</script>`;
    const stub = stubTag(`${dataOf(site, more)} data-src="/none.js"`);
    await page.goto(site.serve(html(`${control}${stub}<script>${early}</script>`)));
    await page.waitForFunction(() => document.readyState === 'complete');
    await page.clock.fastForward(40_000);
    // A beacon that had been sent would be there with this.
    await page.evaluate(() => fetch('/icon.svg').then((answer) => answer.text()));
    expect(site.lost()).toEqual([]);
  });
}

test('stub: consent granted after all: the endpoint is told, on the page’s own origin whatever its base', async ({
  page,
  site,
  allowConsole,
}) => {
  allowConsole(/none\.js/);
  const base = `<base href="${site.mock.bucketOrigin}/">`;
  const early = `<script>spandrel.setConsent('pending'); spandrel.setConsent('granted');</script>`;
  const stub = stubTag(`${dataOf(site, 'data-consent="pending"')} data-src="/none.js"`);
  await page.goto(site.serve(html(`${base}${stub}${early}`)));
  await expect.poll(() => site.lost()).toEqual([{ 'script-failed': 1 }]);
});

test('stub: a file that hangs is reported after half a minute, and works if it comes after all', async ({
  page,
  site,
}) => {
  const release = heldScript(site);
  await page.clock.install();
  await page.goto(site.serve(html(stubTag(`${dataOf(site)} data-src="/held.js"`))), { waitUntil: 'commit' });
  await page.waitForFunction(() => globalThis.spandrel);
  await page.clock.fastForward(29_000);
  expect(site.lost()).toEqual([]);
  await page.clock.fastForward(1_500);
  await expect.poll(() => site.lost()).toEqual([{ 'script-failed': 1 }]);
  release();
  await page.waitForFunction(() => globalThis.spandrel.instance);
});

test('integrity: the hash of the build is right, another is refused and reported', async ({
  page,
  site,
  allowConsole,
}) => {
  allowConsole(/integrity/);
  const withHash = (hash: string): string =>
    site.serve(
      html(stubTag(`${dataOf(site)} data-src="/dist/script.js" integrity="${hash}" crossorigin="anonymous"`)),
    );
  await page.goto(withHash(SCRIPT_HASH));
  await page.waitForFunction(() => globalThis.spandrel.instance);
  expect(await page.evaluate(() => document.querySelectorAll('script[integrity][src]').length)).toBe(1);
  await page.goto(withHash(STUB_HASH));
  await expect.poll(() => site.lost()).toEqual([{ 'script-failed': 1 }]);
  expect(await page.evaluate(() => globalThis.spandrel.instance)).toBe(undefined);
});

const ALREADY = expect.stringContaining('this page is traced already');

test('a second tag: one warning, the first goes on alone, nothing is wrapped twice', async ({
  page,
  site,
}) => {
  const tag = `<script src="/dist/script.js" ${dataOf(site)}></script>`;
  const after = '<script>globalThis.results = { instance: spandrel.instance, fetch }</script>';
  await page.goto(site.serve(html(KEEP_LINES + tag + after + tag)));
  expect(await linesOf(page)).toEqual([ALREADY]);
  const same = await page.evaluate(() => [
    results['instance'] === globalThis.spandrel.instance && results['instance'] !== undefined,
    results['fetch'] === fetch,
  ]);
  expect(same).toEqual([true, true]);
  await page.evaluate(() => fetch('/icon.svg'));
  await site.expectStored(['GET']);
});

test('the package and a tag, in either order: the page is instrumented once, both have a tracer', async ({
  page,
  site,
}) => {
  const module = `<script type="importmap">${JSON.stringify(IMPORT_MAP)}</script>`;
  const options = {
    ...{ service: site.service, endpoint: '/spandrel', scheduledDelayMillis: 0, documentLoad: false },
    ...{ webVitals: false, interactions: false, resources: false, longFrames: false },
  };
  const start = (name: string): string => `<script type="module">
    import { start } from 'spandrel';
    globalThis.results = { ...globalThis.results, fetch, ${name}: start(${JSON.stringify(options)}) };
  </script>`;
  const tag = `<script src="/dist/script.js" ${dataOf(site)} defer></script>`;

  // Deferred scripts and modules run in the order of the page.
  await page.goto(site.serve(html(KEEP_LINES + module + start('first') + tag)));
  expect(await linesOf(page)).toEqual([ALREADY]);
  const fromPackage = await page.evaluate(() => [
    globalThis.spandrel.instance === results['first'],
    results['fetch'] === fetch,
  ]);
  expect(fromPackage).toEqual([true, false]);

  const keep = '<script type="module">globalThis.results = { before: fetch }</script>';
  await page.goto(site.serve(html(KEEP_LINES + module + tag + keep + start('second'))));
  await page.waitForFunction(() => globalThis.results?.['second']);
  expect(await linesOf(page)).toEqual([ALREADY]);
  const second = await page.evaluate(() => {
    const { before, second } = results as { before: unknown; second: import('../src/start.js').Spandrel };
    second.tracer.startSpan('of the second', { root: true } as never).end();
    second.recordException(new Error('told to the second'));
    return [before === fetch, second === globalThis.spandrel.instance];
  });
  expect(second).toEqual([true, false]);
  await page.evaluate(() => fetch('/icon.svg'));
  await site.expectStored(['of the second', 'error Error', 'GET']);
  // Once the first has ended, the page is free for another.
  await page.evaluate(async () => {
    await globalThis.spandrel.instance?.shutdown();
    globalThis.spandrel.start({ service: 'third', endpoint: '/spandrel', documentLoad: false });
  });
  expect(await linesOf(page)).toHaveLength(1);
});

/** What a page does that we watch. */
async function useAll(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await fetch('/icon.svg');
    await new Promise((resolve) => {
      const request = new XMLHttpRequest();
      request.open('GET', '/icon.svg');
      request.onloadend = resolve;
      request.send();
    });
    document.querySelector('button')?.addEventListener('click', () => history.pushState({}, '', '#there'));
    const { instance } = globalThis.spandrel;
    instance?.recordException(new Error('caught'));
    const large = instance?.tracer.startSpan('large');
    // Large enough for the browser's own compressor.
    large?.setAttribute('noise', Array.from({ length: 20_000 }, Math.random).join());
    large?.end();
  });
  await page.click('#act');
}

const everything = (site: Site): string =>
  `data-service="${site.service}" data-endpoint="/spandrel" data-scheduled-delay-millis="0"`;

for (const [name, scriptSrc, more, tagsOf] of [
  [
    'a nonce',
    "'nonce-r4nd0m'",
    '',
    (data: string) => stubTag(`${data} data-src="/dist/script.js" nonce="r4nd0m"`),
  ],
  ['a hash', `'self' '${STUB_HASH}'`, '', (data: string) => stubTag(`${data} data-src="/dist/script.js"`)],
  [
    // No policy, no second file; `two-files.spec.ts` has what becomes of the first alone.
    'Trusted Types and no policy of ours',
    "'nonce-r4nd0m'",
    "; require-trusted-types-for 'script'; trusted-types 'none'",
    (data: string) => `${stubTag(`${data} nonce="r4nd0m"`)}
      <script async src="/dist/spandrel.whole.js" nonce="r4nd0m" ${data}></script>`,
  ],
] as const) {
  test(`a policy with ${name}: all is traced without a violation`, async ({ page, site }) => {
    const policy = `default-src 'none'; script-src ${scriptSrc}; img-src data:; connect-src 'self' ${site.mock.bucketOrigin}${more}`;
    const head = `<script src="/e2e/violations.js" nonce="r4nd0m"></script>${tagsOf(everything(site))}`;
    await page.goto(site.serve(html(head), { 'content-security-policy': policy }));
    await page.waitForFunction(() => globalThis.spandrel.instance);
    await useAll(page);
    await expect.poll(async () => (await site.spans()).map(({ name }) => name)).toContain('large');
    expect(await page.evaluate(() => globalThis.violations)).toEqual([]);
    expect(await page.evaluate(() => globalThis.spandrel.instance?.stats().exceptions)).toBe(0);
  });
}

/** The endpoint takes no page without an origin, and the browser says so. */
const REFUSED = /spandrel|icon\.svg|Failed to load resource|Cross-Origin|CORS|Content-Security-Policy/i;

test('an opaque origin, sandboxed or of a data: URL: no storage, no endpoint, and no harm', async ({
  page,
  site,
  allowConsole,
}) => {
  allowConsole(REFUSED);
  const { origin } = site.host;
  const tag = `<script src="${origin}/e2e/violations.js"></script><script src="${origin}/dist/script.js"
    data-service="${site.service}" data-endpoint="${origin}/spandrel" data-scheduled-delay-millis="0"></script>`;
  await page.goto(site.serve(html(tag), { 'content-security-policy': 'sandbox allow-scripts' }));
  const expectUnharmed = async (frame: Pick<Page, 'evaluate'>): Promise<void> => {
    const seen = await frame.evaluate(async () => {
      const { instance, recordException } = globalThis.spandrel;
      recordException(new Error('caught'));
      const result = await instance?.flush();
      history.replaceState({}, '', '#there');
      const { exceptions, state } = instance?.stats() ?? {};
      return { origin: globalThis.origin, result, exceptions, state, violations };
    });
    expect(seen).toEqual({
      ...{ origin: 'null', result: expect.stringMatching(/waiting|lost/), exceptions: 0 },
      ...{ state: expect.any(String), violations: [] },
    });
  };
  await expectUnharmed(page);
  const source = `data:text/html,${encodeURIComponent(html(tag))}`;
  await page.goto(site.serve(html('', `<iframe src="${source}"></iframe>`)));
  const frame = page.frames()[1];
  if (!frame) throw new Error('no frame');
  await expectUnharmed(frame as never);
});
