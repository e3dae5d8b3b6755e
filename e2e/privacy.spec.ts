import type { BrowserContext, Page } from '@playwright/test';
import {
  expect,
  expectLedgerHeld,
  letTimePass,
  makeTraces,
  plainPage,
  type Site,
  test,
} from './support/fixtures.js';

declare global {
  var touched: string[];
  var exporter: import('../src/index.js').TraceExporter;
  var persisted: boolean[];
}

// Playwright turns Chromium's bfcache off.
test.use({
  launchOptions: [
    async ({ launchOptions, browserName }, use) => {
      const cached = { ...launchOptions, ignoreDefaultArgs: ['--disable-back-forward-cache'] };
      await use(browserName === 'chromium' ? cached : launchOptions);
    },
    { scope: 'worker' },
  ],
});

/** Everything that the browser keeps of this origin, as text: databases, local and session storage, cookies. */
const kept = (page: Page): Promise<string> =>
  page.evaluate(async () => {
    const texts = [
      JSON.stringify({ ...localStorage }),
      JSON.stringify({ ...sessionStorage }),
      document.cookie,
    ];
    for (const { name = '' } of await indexedDB.databases()) {
      const db = await new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open(name);
        request.onsuccess = () => resolve(request.result);
        request.onerror = reject;
      });
      texts.push(`database ${name}`);
      for (const store of db.objectStoreNames) {
        const records = await new Promise<unknown[]>((resolve, reject) => {
          const request = db.transaction(store).objectStore(store).getAll();
          request.onsuccess = () => resolve(request.result);
          request.onerror = reject;
        });
        for (const record of records) {
          const { bytes } = record as { bytes?: Uint8Array<ArrayBuffer> | number };
          texts.push(JSON.stringify(record));
          // Receipts say how many; blobs have them.
          if (!(bytes instanceof Uint8Array)) continue;
          const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
          texts.push(await new Response(stream).text());
        }
      }
      db.close();
    }
    return texts.join('\n');
  });

/** What is stored in the bucket and what the endpoint was told, as text. */
const sent = async (site: Site): Promise<string> =>
  JSON.stringify([(await site.objects()).map(({ request }) => request), site.receipts()]);

/** Names of what was kept, and of what was asked of the browser. */
const leavings = (page: Page): Promise<unknown> =>
  page.evaluate(async () => ({
    databases: (await indexedDB.databases()).map(({ name }) => name),
    notes: Object.keys(localStorage)
      .filter((name) => name.startsWith('spandrel'))
      .sort(),
    locks: (await navigator.locks.query()).held?.length,
    cookie: document.cookie,
  }));
const NOTHING = { databases: [], notes: [], locks: 0, cookie: '' };

/** Before any script of ours: tells of each use of storage, locks and the network. */
const WATCH = `<script>
  globalThis.touched = [];
  const watch = (target, name) => {
    const { [name]: original } = target;
    target[name] = function (...args) {
      touched.push(name + ' ' + String(args[0]?.url ?? args[0]));
      return original.apply(this, args);
    };
  };
  watch(IDBFactory.prototype, 'open');
  watch(IDBFactory.prototype, 'deleteDatabase');
  watch(LockManager.prototype, 'request');
  for (const name of ['getItem', 'setItem', 'removeItem']) watch(Storage.prototype, name);
  watch(Navigator.prototype, 'sendBeacon');
  watch(globalThis, 'fetch');
</script>`;

test('redaction: what is secret is in no object, receipt, database or note; an exporter of the app’s own redacts too', async ({
  page,
  site,
}) => {
  const code = `
    import { BasicTracerProvider } from '@opentelemetry/sdk-trace-web';
    import { bucket, TraceBatchProcessor, TraceExporter, start } from 'spandrel';
    const service = ${JSON.stringify(site.service)};
    const destination = bucket({ endpoint: '/spandrel' });
    const redact = (span) => {
      if (span.name === 'drop me') return false;
      if (span.name === 'break') throw new Error('planted');
      delete span.attributes['app.private'];
      if (span.name === 'rename PLANTED') span.name = 'renamed';
    };
    const exporter = globalThis.exporter = new TraceExporter({ destination, redact });
    const resource = { attributes: { 'service.name': service }, getRawAttributes: () => [], merge: () => resource };
    const provider = new BasicTracerProvider({
      resource,
      spanProcessors: [new TraceBatchProcessor(exporter, { scheduledDelayMillis: 300_000 })],
    });
    const tracer = provider.getTracer('third party');
    const url = 'https://PLANTED:PLANTED@h.test/a?q=PLANTED&PLAIN=PLANTED#PLANTED';
    const attributes = { 'http.url': url, password: 'PLANTED', apiKey: 'PLANTED',
      'http.request.header.authorization': ['PLANTED'], note: 'went to ' + url, list: [url] };
    const span = tracer.startSpan('rename PLANTED', { attributes: { ...attributes, 'app.private': 'PLANTED' } });
    span.addEvent('seen ?a=PLANTED', attributes);
    span.addLink({ context: span.spanContext(), attributes });
    const error = new Error('GET ' + url);
    error.stack = 'Error: GET ' + url + '\\n    at https://h.test/app.js?token=PLANTED:1:2';
    span.recordException(error);
    span.setStatus({ code: 2, message: url });
    span.end();
    for (const name of ['drop me', 'break']) tracer.startSpan(name, { attributes }).end();`;
  await site.run(page, code);
  // Written down while it waits, and then as a blob.
  await expect.poll(() => kept(page)).toContain('renamed');
  expect(await kept(page)).not.toContain('PLANTED');
  await page.evaluate(() => globalThis.exporter.flush());
  await site.expectStored(['renamed']);
  const text = await sent(site);
  expect(text).not.toContain('PLANTED');
  expect(text).toContain('https://h.test/a?q=REDACTED&PLAIN=REDACTED');
  expect(text).toContain('app.js?token=REDACTED:1:2');
  const stats = await page.evaluate(() => globalThis.exporter.stats());
  expect(stats.spans).toMatchObject({ created: 3, stored: 1, dropped: { redacted: 2 } });
  expect(stats.errors.map(({ message }) => message)).toContain('Error: planted');
});

test('forms: nothing that is typed is stored anywhere', async ({ page, site }) => {
  const options = { documentLoad: true, fetch: true, interactions: true, routes: true, errors: true };
  const body = `<form id="form" action="/nowhere" onsubmit="event.preventDefault(); fetch('/icon.svg?form=TYPED-query')">
    <label for="a">Name</label><input id="a" name="name" value="TYPED-default">
    <input id="b" type="password" name="password" aria-label="Secret">
    <textarea id="c" name="text"></textarea>
    <select id="s"><option>TYPED-one</option><option>TYPED-two</option></select>
    <div id="d" contenteditable="true">Write</div>
    <button id="go">Send</button>
  </form>`;
  await site.open(page, options, { body });
  for (const id of ['a', 'b', 'c', 'd']) {
    await page.click(`#${id}`);
    await page.keyboard.type(`TYPED-${id}`);
  }
  await page.selectOption('#s', 'TYPED-two');
  for (const id of ['d', 's', 'go']) await page.click(`#${id}`);
  await page.keyboard.press('Escape');
  await makeTraces(page, ['end']);
  expect(await kept(page)).not.toContain('TYPED');
  expect(await page.evaluate(() => globalThis.spandrel.instance?.flush())).toBe('stored');
  const names = async (): Promise<string[]> => (await site.spans()).map(({ name }) => name);
  await expect.poll(names).toEqual(expect.arrayContaining(['GET', 'end']));
  expect(await sent(site)).not.toContain('TYPED');
});

test('consent: pending touches nothing; granted sends what was held; denied deletes it all, in every tab', async ({
  page,
  site,
  context,
  browserName,
}) => {
  await site.open(page, { consent: 'pending', fetch: true, documentLoad: true }, { head: WATCH });
  await makeTraces(page, ['held 1', 'held 2']);
  await page.evaluate(() => fetch('/icon.svg'));
  // Long enough for the load to be traced, and for anything that waits for an idle moment.
  await expect
    .poll(() => page.evaluate(() => globalThis.spandrel.instance?.stats().spans.waiting ?? 0))
    .toBeGreaterThan(3);
  await letTimePass(page, 1_500);
  expect(await page.evaluate(() => globalThis.touched)).toEqual(['fetch /icon.svg']);
  expect(await leavings(page)).toEqual(NOTHING);
  expect(site.mock.requests.list()).toEqual([]);
  expect(await page.evaluate(() => globalThis.spandrel.instance?.stats().consent)).toBe('pending');

  await page.evaluate(() => globalThis.spandrel.instance?.setConsent('granted'));
  await makeTraces(page, ['at once']);
  const names = async (): Promise<string[]> => (await site.spans()).map(({ name }) => name);
  await expect.poll(names).toEqual(expect.arrayContaining(['held 1', 'held 2', 'GET', 'at once']));
  await expect
    .poll(() => leavings(page))
    .toMatchObject({
      databases: ['spandrel-1'],
      notes: [expect.stringMatching(/^spandrel-1 rules /), 'spandrel-1 session'],
    });

  const other = await openTab(context, site);
  site.mock.faults.set('bucket', { kind: 'hang' });
  for (const each of [page, other]) await makeTraces(each, ['never']);
  await expect.poll(() => site.mock.requests.list('bucket').some(({ done }) => !done)).toBe(true);
  await page.evaluate(() => globalThis.spandrel.instance?.setConsent('denied'));
  for (const each of [page, other]) {
    await expect
      .poll(() => each.evaluate(() => globalThis.spandrel.instance?.stats().consent))
      .toBe('denied');
    await expect.poll(() => leavings(each)).toEqual(NOTHING);
    const stats = await each.evaluate(() => globalThis.spandrel.instance?.stats());
    expect(stats?.spans).toMatchObject({ waiting: 0, dropped: { consent: expect.any(Number) } });
    await expectLedgerHeld(each);
  }
  const requests = site.mock.requests.list().length;
  for (const each of [page, other]) await makeTraces(each, ['refused']);
  await letTimePass(page, 1_500);
  expect(site.mock.requests.list()).toHaveLength(requests);
  expect(await leavings(other)).toEqual(NOTHING);
  await other.close();
  site.mock.faults.clear();

  await page.evaluate(() => globalThis.spandrel.instance?.setConsent('granted'));
  await makeTraces(page, ['again']);
  await expect.poll(names).toContain('again');
  expect(await names()).not.toContain('refused');
  // Chromium goes on with a keepalive request that was aborted, once its connection breaks.
  if (browserName !== 'chromium') expect(await names()).not.toContain('never');
  await expectLedgerHeld(page);
});

async function openTab(context: BrowserContext, site: Site): Promise<Page> {
  const other = await context.newPage();
  await site.open(other);
  await makeTraces(other, ['other']);
  await expect.poll(() => other.evaluate(() => globalThis.spandrel.instance?.stats().spans.stored)).toBe(1);
  return other;
}

test('Global Privacy Control: denied on request, and what earlier pages kept goes; the page’s word wins', async ({
  page,
  site,
}) => {
  const control = `<script>
    Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { value: true, configurable: true });
  </script>`;
  // Not asked to respect it.
  await site.open(page, {}, { head: control });
  await makeTraces(page, ['ignored']);
  await site.expectStored(['ignored']);
  await site.open(page, { respectGlobalPrivacyControl: true }, { head: control });
  await makeTraces(page, ['refused']);
  expect(await page.evaluate(() => globalThis.spandrel.instance?.stats().consent)).toBe('denied');
  await expect.poll(() => leavings(page)).toEqual(NOTHING);
  await page.evaluate(() => globalThis.spandrel.instance?.setConsent('granted'));
  await makeTraces(page, ['agreed']);
  await site.expectStored(['ignored', 'agreed']);
});

test('consent: a page in the bfcache puts nothing back after a denial elsewhere', async ({
  page,
  site,
  context,
}) => {
  const away = site.serve(plainPage());
  const body = `<script>
    globalThis.persisted = [];
    addEventListener('pageshow', (event) => persisted.push(event.persisted));
  </script>`;
  const back = await site.open(page, { consent: 'granted' }, { body });
  await makeTraces(page, ['before']);
  await site.expectStored(['before']);
  await page.goto(away);
  const other = await openTab(context, site);
  await other.evaluate(() => globalThis.spandrel.instance?.setConsent('denied'));
  await expect.poll(() => leavings(other)).toEqual(NOTHING);
  await page.evaluate(() => void setTimeout(() => history.back()));
  const persisted = (): Promise<boolean[]> => page.evaluate(() => globalThis.persisted ?? []).catch(() => []);
  // It was thrown out of it, and is loaded anew.
  await expect.poll(persisted).toEqual([false]);
  expect(page.url()).toBe(back);
  await other.close();
});

test('a secret that is the whole query, or hides elsewhere in a URL, is stored nowhere', async ({
  page,
  site,
  allowConsole,
}) => {
  // Nobody serves these.
  allowConsole(/404 .*api[;/]/);
  const token = 'eyJhbGciOiJIUzI1NiJ9-9f86d081884c7d65';
  const forms = [
    `?${token}`,
    `?${token}==`,
    `??${token}`,
    `?=${token}`,
    `?page&${token}`,
    `?next=/a?${token}`,
    `#${token}`,
    `#access_token=${token}`,
    `;jsessionid=${token}?page`,
    `/%3F${token}`,
    '?SECRET-7',
  ];
  site.host.route('/api', (_req, res) => void res.end('ok'));
  await site.open(page, { fetch: true, xhr: true, routes: true, errors: true, documentLoad: true });
  await page.evaluate(
    async ([forms]) => {
      const { instance } = globalThis.spandrel;
      for (const form of forms) {
        await fetch(`/api${form}`).then((answer) => answer.text());
        history.pushState({}, '', `/${forms.indexOf(form)}/reset${form}`);
        const address = `${location.origin}/reset${form}`;
        const span = instance?.tracer.startSpan(`GET ${address}`, {
          root: true,
          attributes: {
            'http.url': address,
            'url.full': `/reset${form}`,
            all: [address],
            note: `went to ${address} at once`,
          },
        });
        span?.addEvent(`saw ${address}`, { href: address });
        span?.recordException(new Error(`no ${address}`));
        span?.setStatus({ code: 2, message: `no ${address}` });
        span?.end();
      }
      instance?.recordException(new Error('done'));
    },
    [forms] as const,
  );
  const names = async (): Promise<string[]> => (await site.spans()).map(({ name }) => name);
  await expect
    .poll(async () => (await names()).filter((name) => name.startsWith('GET http')))
    .toHaveLength(forms.length);
  await page.evaluate(() => globalThis.spandrel.flush());
  await page.goto('about:blank');
  await expect.poll(names).toContain('GET');
  const stored = JSON.stringify(await site.objects());
  expect(stored.match(/.{0,80}(eyJhbG|9f86d0|SECRET-7).{0,20}/g) ?? []).toEqual([]);
  expect(stored).toContain('?page&REDACTED');
});
