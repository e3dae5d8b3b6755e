import { expect, expectLedgerHeld, makeTraces, test } from './support/fixtures.js';
import { attributeOf } from './support/otlp.js';
import { tagPage } from './support/page-source.js';

declare global {
  var violations: string[];
  var seen: string[];
}

test('strict CSP and Trusted Types: everything works without a violation', async ({ page, site }) => {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    `connect-src 'self' ${site.mock.bucketOrigin}`,
    'img-src data:',
    "require-trusted-types-for 'script'",
    // For the second file's address; `script-tag.spec.ts` has a page that allows none.
    'trusted-types spandrel',
  ].join('; ');
  const options = { service: site.service, endpoint: '/spandrel', scheduledDelayMillis: 0 };
  const html = tagPage(options, { head: '<script src="/e2e/violations.js"></script>' });
  await page.goto(site.serve(html, { 'content-security-policy': policy }));
  await makeTraces(page, ['small']);
  // Large enough for the browser's own compressor.
  await makeTraces(page, ['large'], 400);
  await expect.poll(async () => (await site.spans()).map(({ name }) => name)).toContain('large');
  await expect.poll(async () => (await site.spans()).map(({ name }) => name)).toContain('documentFetch');
  expect(await page.evaluate(() => globalThis.violations)).toEqual([]);
  await expectLedgerHeld(page);
});

const BLOCKED_BY_CORS =
  /Failed to load resource.*\/s3\/|\/s3\/.*blocked by CORS policy|Cross-Origin Request Blocked.*\/s3\//;

test('fetch patched before us, with a header that the bucket refuses: the endpoint relays', async ({
  page,
  site,
  allowConsole,
}) => {
  allowConsole(BLOCKED_BY_CORS);
  const head = `<script>
    const original = fetch;
    window.fetch = (input, init = {}) => original(input, { ...init, headers: { ...init.headers, 'x-app': '1' } });
  </script>`;
  await site.open(page, { fetch: true }, { head });
  await makeTraces(page, ['a', 'b']);
  await site.expectStored(['a', 'b']);
  await expectLedgerHeld(page);
});

test('fetch patched before us, throwing synchronously: the page sees nothing of it, the endpoint relays', async ({
  page,
  site,
}) => {
  const head = `<script>
    const original = fetch;
    window.fetch = (input, init) => {
      if (String(input).includes('/s3/')) throw new Error('patched');
      return original(input, init);
    };
  </script>`;
  await site.open(page, { fetch: true }, { head });
  await makeTraces(page, ['a', 'b']);
  await site.expectStored(['a', 'b']);
  expect(await page.evaluate(() => globalThis.spandrel.instance?.stats().exceptions)).toBe(0);
  await expectLedgerHeld(page);
});

test('fetch patched before us and gone altogether: what waits goes by beacon as the page leaves', async ({
  page,
  site,
}) => {
  const head = `<script>window.fetch = () => { throw new Error('patched'); };</script>`;
  await site.open(page, { fetch: true }, { head });
  await makeTraces(page, ['a', 'b']);
  await page.waitForFunction(() => {
    const { exchangeFailures = 0 } = globalThis.spandrel.instance?.stats().requests ?? {};
    return exchangeFailures >= 1;
  });
  await page.goto('about:blank');
  await site.expectStored(['a', 'b']);
});

for (const order of ['before', 'after']) {
  test(`fetch instrumented ${order} us: our requests do not pass through it`, async ({ page, site }) => {
    const patch = `<script>
      globalThis.seen = [];
      {
        const original = fetch;
        window.fetch = function (input, init) {
          seen.push(String(input?.url ?? input));
          return original.call(this, input, init);
        };
        window.fetch.__original = original;
      }
    </script>`;
    const parts = order === 'before' ? { head: patch } : { body: patch };
    await site.open(page, { fetch: true }, parts);
    await page.evaluate(() => fetch('/icon.svg'));
    await makeTraces(page, ['a']);
    await site.expectStored(['a', 'GET']);
    expect(await page.evaluate(() => globalThis.seen)).toEqual(['/icon.svg']);
  });
}

test('fetch of the page: the same with us as without', async ({ page, site, allowConsole }) => {
  // Firefox reports the rejection that the page leaves unhandled, and handles after all, to the driver.
  allowConsole(/status of 404 .*\/nothing/, /exception: AbortError/);
  site.host.route('/echo', async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk);
    res.end(`${req.method} ${req.headers['x-own'] ?? ''} ${Buffer.concat(chunks)}`);
  });
  await page.goto(site.serve('<!doctype html><title>Without</title><link rel="icon" href="data:,">'));
  const behaviour = () =>
    page.evaluate(async () => {
      const of = async (task: () => Promise<unknown>): Promise<unknown> => {
        try {
          return await task();
        } catch (error) {
          return `rejects ${(error as Error).name}`;
        }
      };
      const abort = new AbortController();
      abort.abort();
      const { fetch: bare } = window;
      const thrown: string[] = [];
      const promised = (...args: unknown[]): unknown => {
        try {
          const answer = fetch(...(args as Parameters<typeof fetch>));
          answer.catch(() => {});
          return answer instanceof Promise;
        } catch (error) {
          thrown.push((error as Error).name);
          return undefined;
        }
      };
      const unhandled: string[] = [];
      const onUnhandled = (event: PromiseRejectionEvent): void => {
        event.preventDefault();
        unhandled.push(event.reason.name);
      };
      addEventListener('unhandledrejection', onUnhandled);
      void fetch('http://127.0.0.1:1/', { signal: abort.signal });
      const results = {
        text: await of(async () => (await fetch('/echo')).text()),
        post: await of(async () =>
          (await fetch('/echo', { method: 'POST', body: 'b', headers: { 'x-own': '1' } })).text(),
        ),
        request: await of(async () =>
          (await fetch(new Request('/echo', { method: 'PUT', body: 'r' }))).text(),
        ),
        url: await of(async () => (await fetch(new URL('/echo', location.href))).text()),
        status: await of(async () => (await fetch('/nothing')).status),
        bare: await of(async () => (await bare('/echo')).text()),
        aborted: await of(() => fetch('/echo', { signal: abort.signal })),
        unusable: await of(() => fetch('http://')),
        stream: await of(async () => {
          const { body } = await fetch('/echo');
          const locked = body?.locked;
          await body?.cancel();
          return locked;
        }),
        none: promised(),
        symbol: promised('/echo', { method: 'BAD METHOD' }),
        thrown,
      };
      await new Promise((resolve) => setTimeout(resolve));
      removeEventListener('unhandledrejection', onUnhandled);
      return { ...results, unhandled };
    });
  const without = await behaviour();
  await site.open(page, { fetch: true });
  expect(await behaviour()).toEqual(without);
  expect(without.unhandled).toEqual(['AbortError']);
  expect(without.post).toBe('POST 1 b');
});

test('our own requests are in no trace, be they ever so early', async ({ page, site }) => {
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  site.host.route('/held.svg', async (_req, res) => {
    await held;
    res.writeHead(200, { 'content-type': 'image/svg+xml' }).end('<svg xmlns="http://www.w3.org/2000/svg"/>');
  });
  const parts = {
    body: `<img src="/held.svg" alt="">
    <script>
      const { tracer } = spandrel.instance;
      tracer.startSpan('early', { root: true }).end();
      spandrel.flush();
    </script>`,
  };
  // Its load event waits for the picture, and what sends for the load, unless somebody flushes.
  const opening = site.open(page, { documentLoad: true, fetch: true }, parts);
  await expect.poll(async () => (await site.spans()).map(({ name }) => name)).toContain('early');
  expect(site.mock.requests.list('endpoint').length).toBeGreaterThan(0);
  release();
  await opening;
  const urls = async (): Promise<string[]> =>
    (await site.spans()).map(({ attributes }) => String(attributeOf(attributes, 'url.full')));
  await expect.poll(urls).toContain(`${site.host.origin}/held.svg`);
  // That none of them is ours is looked at after every test.
});
