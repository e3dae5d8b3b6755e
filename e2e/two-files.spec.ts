/** The script tag in two files: the second comes late, or not at all, and nothing is lost by that. */
import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { expect, type Site, test } from './support/fixtures.js';
import { tagPage } from './support/page-source.js';
import { NO_PARTS } from './support/parts.mjs';

const DIST = new URL('../dist/', import.meta.url);
const built = (name: string): string => readFileSync(new URL(name, DIST), 'utf8');

const JAVASCRIPT = { type: 'text/javascript', headers: { 'cache-control': 'no-store' } };

interface Files {
  /** What the page asked for, in order: names of files. */
  asked: string[];
  first: string;
  /** Serves a page whose tag is `first`, with these attributes and headers, and opens it. */
  open(
    page: Page,
    more?: {
      tag?: string;
      src?: string;
      headers?: Record<string, string>;
      head?: string;
      parts?: Record<string, boolean>;
    },
  ): Promise<void>;
}

/** Serves both files, in a folder of the test's own. `late`: what comes in place of the second. */
function twoFiles(site: Site, late: Parameters<Site['host']['route']>[1] | string = built('late.js')): Files {
  const folder = `/${site.service.replaceAll(' ', '-')}`;
  const asked: string[] = [];
  const first = site.host.route(`${folder}/script.js`, (_req, res) => {
    asked.push('script.js');
    res.writeHead(200, { 'content-type': 'text/javascript', 'access-control-allow-origin': '*' });
    res.end(built('script.js'));
  });
  site.host.route(`${folder}/late.js`, (req, res) => {
    asked.push('late.js');
    if (typeof late !== 'string') return late(req, res);
    res.writeHead(200, { 'content-type': JAVASCRIPT.type, ...JAVASCRIPT.headers }).end(late);
  });
  const options = { service: site.service, endpoint: '/spandrel', scheduledDelayMillis: 0, ...NO_PARTS };
  return {
    asked,
    first,
    async open(page, { tag = '', src = first, headers, head = '', parts } = {}) {
      const html = tagPage({ ...options, ...parts }, { head })
        .replace('src="/dist/script.js"', `src="${src}" ${tag}`)
        .replace(/<script type="module".*?<\/script>/s, '');
      await page.goto(site.serve(html, headers), { waitUntil: 'commit' });
      await page.waitForFunction(() => globalThis.spandrel?.instance);
    },
  };
}

const makeSpan = (page: Page, name: string): Promise<void> =>
  page.evaluate((name) => globalThis.spandrel.instance?.tracer.startSpan(name).end(), name);
const troubles = (page: Page): Promise<string[]> =>
  page.evaluate(
    () =>
      globalThis.spandrel.instance?.stats().errors.map(({ kind, message }) => `${kind}: ${message}`) ?? [],
  );
const relayed = (site: Site): number =>
  site.mock.requests.list().filter(({ queryNames }) => queryNames.includes('relay')).length;

/** The second file does not come: that is told, and what ended is stored all the same, while the page lives. */
async function expectRelay(page: Page, site: Site, cause: RegExp): Promise<void> {
  await makeSpan(page, 'a');
  await site.expectStored(['a']);
  expect(relayed(site)).toBe(1);
  expect(await troubles(page)).toEqual([expect.stringMatching(cause)]);
  await makeSpan(page, 'b');
  expect(await page.evaluate(() => globalThis.spandrel.flush())).toBe('stored');
  await site.expectStored(['a', 'b']);
}

test('the second file is asked for once, after the load, at low priority; then spans go straight to the bucket', async ({
  page,
  site,
}) => {
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const image = site.host.route('/held.png', async (_req, res) => {
    await held;
    res.writeHead(204).end();
  });
  const files = twoFiles(site);
  const requests: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  await page.addInitScript(() => {
    const { append } = DocumentFragment.prototype;
    globalThis.results = { appended: [] };
    const look = (nodes: unknown[]): void => {
      for (const node of nodes)
        if (node instanceof HTMLScriptElement) (results['appended'] as string[]).push(node.fetchPriority);
    };
    DocumentFragment.prototype.append = function (this: DocumentFragment, ...nodes: (Node | string)[]) {
      look(nodes);
      append.apply(this, nodes);
    };
  });
  await files.open(page, { head: `<img src="${image}" alt="">` });
  await makeSpan(page, 'early');
  await page.evaluate(() => new Promise((resolve) => requestIdleCallback(resolve)));
  expect(files.asked).toEqual(['script.js']);
  release();
  await site.expectStored(['early']);
  expect(files.asked).toEqual(['script.js', 'late.js']);
  expect(await page.evaluate(() => results['appended'])).toEqual(['low']);
  expect(relayed(site)).toBe(0);
  expect(await troubles(page)).toEqual([]);
  expect(await page.evaluate(() => Object.getOwnPropertySymbols(globalThis).map(String))).not.toContainEqual(
    expect.stringContaining('spandrel.late'),
  );
  expect(await page.evaluate(() => document.querySelectorAll('script').length)).toBe(1);
});

test('vitals and long frames of before it came are told', async ({ page, site, browserName }) => {
  test.skip(browserName !== 'chromium', 'others tell of no long frames');
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const files = twoFiles(site, async (_req, res) => {
    await held;
    res.writeHead(200, { 'content-type': JAVASCRIPT.type }).end(built('late.js'));
  });
  await files.open(page, { parts: { documentLoad: true, webVitals: true, longFrames: true } });
  await expect.poll(() => files.asked).toContain('late.js');
  await page.evaluate(async () => {
    await new Promise((resolve) => requestAnimationFrame(resolve));
    const until = performance.now() + 300;
    while (performance.now() < until);
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  });
  release();
  const names = async (): Promise<string[]> => (await site.spans()).map(({ name }) => name);
  for (const name of ['web-vital TTFB', 'web-vital FCP', 'long-animation-frame'])
    await expect.poll(names, { message: name }).toContain(name);
});

test('whoever flushes needs not wait for the load', async ({ page, site }) => {
  const image = site.host.route('/never.png', () => {});
  const files = twoFiles(site);
  await files.open(page, { head: `<img src="${image}" alt="">` });
  await makeSpan(page, 'early');
  expect(await page.evaluate(() => globalThis.spandrel.flush())).toBe('stored');
  expect(relayed(site)).toBe(0);
  await site.expectStored(['early']);
});

test('a second file that is not there: once more, then the relay', async ({ page, site, allowConsole }) => {
  allowConsole(/late\.js/);
  const files = twoFiles(site, (_req, res) => void res.writeHead(404).end());
  await files.open(page);
  await expectRelay(page, site, /^late-file: .*late\.js did not come/);
  expect(files.asked).toEqual(['script.js', 'late.js', 'late.js']);
});

test('a second file that comes at the second attempt is as good', async ({ page, site, allowConsole }) => {
  allowConsole(/late\.js/);
  let attempts = 0;
  const files = twoFiles(site, (_req, res) => {
    if (attempts++) res.writeHead(200, { 'content-type': JAVASCRIPT.type }).end(built('late.js'));
    else res.writeHead(503).end();
  });
  await files.open(page);
  await makeSpan(page, 'a');
  await site.expectStored(['a']);
  expect(relayed(site)).toBe(0);
  expect(await troubles(page)).toEqual([]);
});

test('HTML in its place, and a file of another build: the hash refuses both, and no script of it runs', async ({
  page,
  site,
  allowConsole,
}) => {
  allowConsole(/late\.js|integrity|MIME/i);
  const html = twoFiles(site, (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Sign in</title>');
  });
  await html.open(page);
  await expectRelay(page, site, /late\.js did not come/);

  const other = twoFiles(site, `globalThis.results = { ran: true };${built('late.js')}`);
  await other.open(page);
  await makeSpan(page, 'c');
  await site.expectStored(['a', 'b', 'c']);
  expect(await page.evaluate(() => globalThis.results)).toBe(undefined);
});

test('of another origin without CORS the hash cannot be looked at: the version is', async ({
  page,
  site,
  allowConsole,
}) => {
  allowConsole(/late\.js/);
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  for (const [late, isOurs] of [
    [built('late.js').replaceAll(version, '9.9.9'), false],
    [built('late.js'), true],
  ] as const) {
    const files = twoFiles(site);
    await page.route('https://cdn.example/**', (route) => {
      const body = route.request().url().endsWith('late.js') ? late : built('script.js');
      return route.fulfill({ body, contentType: 'text/javascript' });
    });
    await files.open(page, { src: 'https://cdn.example/script.js' });
    await makeSpan(page, `ours: ${isOurs}`);
    await expect.poll(async () => (await site.spans()).map(({ name }) => name)).toContain(`ours: ${isOurs}`);
    expect(await troubles(page)).toEqual(
      isOurs ? [] : [expect.stringMatching(/^late-file: .* is of another version/)],
    );
    await page.unroute('https://cdn.example/**');
  }
});

test('a second file that is blocked', async ({ page, site, allowConsole }) => {
  allowConsole(/late\.js/);
  await page.route('**/late.js', (route) => route.abort('blockedbyclient'));
  await twoFiles(site).open(page);
  await expectRelay(page, site, /late\.js did not come/);
});

test('a page that is left before a slow second file comes leaves everything by the relay', async ({
  page,
  site,
}) => {
  const files = twoFiles(site, () => {});
  await files.open(page);
  await makeSpan(page, 'a');
  await page.evaluate(() => {
    globalThis.spandrel.instance?.tracer.startSpan('open');
  });
  await expect.poll(() => files.asked).toContain('late.js');
  await page.goto('about:blank');
  await site.expectStored(['a', 'open']);
  expect(relayed(site)).toBeGreaterThan(0);
  expect(site.mock.requests.list('bucket')).toEqual([]);
});

test('a slow second file that comes when the page was hidden and shown stores nothing twice', async ({
  page,
  site,
}) => {
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const files = twoFiles(site, async (_req, res) => {
    await held;
    res.writeHead(200, { 'content-type': JAVASCRIPT.type }).end(built('late.js'));
  });
  await files.open(page);
  await makeSpan(page, 'before');
  const show = (state: string): Promise<void> =>
    page.evaluate((state) => {
      Object.defineProperty(Document.prototype, 'visibilityState', { get: () => state, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, state);
  await show('hidden');
  await site.expectStored(['before']);
  await show('visible');
  release();
  await makeSpan(page, 'after');
  await expect.poll(() => page.evaluate(() => globalThis.spandrel.flush())).toBe('stored');
  await site.expectStored(['after', 'before']);
  const spans = await page.evaluate(() => globalThis.spandrel.instance?.stats().spans);
  expect(spans).toMatchObject({ created: 2, stored: 2, waiting: 0 });
});

const NONCE = 'r4nd0m';
for (const [name, policy] of [
  ['a nonce alone', `script-src 'nonce-${NONCE}'`],
  ['a nonce and strict-dynamic', `script-src 'nonce-${NONCE}' 'strict-dynamic'; base-uri 'none'`],
  [
    'Trusted Types with our policy',
    `script-src 'nonce-${NONCE}'; require-trusted-types-for 'script'; trusted-types spandrel`,
  ],
] as const) {
  test(`under ${name} the second file comes`, async ({ page, site, browserName }) => {
    test.skip(browserName !== 'chromium' && /Types/.test(name), 'not every engine of the suite has them');
    const files = twoFiles(site);
    await files.open(page, { tag: `nonce="${NONCE}"`, headers: { 'content-security-policy': policy } });
    await makeSpan(page, 'a');
    await site.expectStored(['a']);
    expect(relayed(site)).toBe(0);
    expect(await troubles(page)).toEqual([]);
  });
}

test('a policy that lets no script in, and Trusted Types that know no policy of ours: the relay', async ({
  page,
  site,
  allowConsole,
  browserName,
}) => {
  test.skip(browserName !== 'chromium', 'not every engine of the suite has Trusted Types');
  allowConsole(/Content Security Policy|TrustedScriptURL|trusted-types|Trusted Types/i);
  const types = `script-src 'nonce-${NONCE}'; require-trusted-types-for 'script'; trusted-types app`;
  await twoFiles(site).open(page, { tag: `nonce="${NONCE}"`, headers: { 'content-security-policy': types } });
  await expectRelay(page, site, /^late-file: /);
});

test('both in one file', async ({ page, site }) => {
  const files = twoFiles(site);
  const folder = files.first.replace(/[^/]*$/, '');
  site.host.route(new URL(`${folder}script.js`).pathname, (_req, res) => {
    res.writeHead(200, { 'content-type': JAVASCRIPT.type }).end(built('spandrel.whole.js'));
  });
  await files.open(page);
  await makeSpan(page, 'a');
  await site.expectStored(['a']);
  expect(relayed(site)).toBe(0);
  expect(files.asked).toEqual([]);
});
