import type { Page } from '@playwright/test';
import { expect, plainPage, type Site, test } from './support/fixtures.js';
import { attributeOf, type OtlpSpan } from './support/otlp.js';
import { NO_PARTS } from './support/parts.mjs';

declare global {
  var sdk: import('../src/start.js').Spandrel;
  var startLate: () => void;
}

/** Where ours says something else than the official instrumentation, and why. */
const EXPLAINED: Record<string, string> = {
  'documentFetch http.response_content_length': 'http.response.body.size is its stable name',
  'resourceFetch http.response_content_length': 'http.response.body.size is its stable name',
  'resourceFetch url.full': 'query values are replaced',
  'documentLoad url.full': 'the page is browser.document.url.full; requests have url.full',
  'documentLoad session.start': 'told once, by whichever root ends first',
  'documentFetch fetchStart': 'the start of the span',
  'resourceFetch fetchStart': 'the start of the span',
  'documentLoad fetchStart': 'the start of documentFetch; the load begins with the navigation',
  'documentFetch secureConnectionStart': 'a zero: there was no secure connection',
  'documentLoad firstPaint': 'first-paint, as the browser names it',
  'documentLoad firstContentfulPaint': 'first-contentful-paint, as the browser names it',
};

const LOAD_ONLY = { ...NO_PARTS, documentLoad: true };

const millis = (nanos: string): number => Number(BigInt(nanos) / 1_000n) / 1_000;
const namesOf = (spans: { name: string }[]): string[] => spans.map(({ name }) => name);
const pathOf = ({ attributes }: OtlpSpan): string => {
  const { pathname, search } = new URL(String(attributeOf(attributes, 'url.full')));
  return pathname + search;
};

/** Waits for the trace of the page load. */
async function loadTrace(site: Site): Promise<{ root: OtlpSpan; children: OtlpSpan[] }> {
  await expect
    .poll(async () => namesOf(await site.spans()).filter((name) => /^load /.test(name)))
    .toHaveLength(1);
  const spans = await site.spans();
  const root = spans.find(({ name }) => /^load /.test(name)) as OtlpSpan;
  return { root, children: spans.filter(({ parentSpanId }) => parentSpanId === root.spanId) };
}

const readClock = (page: Page) =>
  page.evaluate(() => {
    const [{ loadEventEnd = 0, responseEnd = 0 } = {}] = performance.getEntriesByType(
      'navigation',
    ) as PerformanceNavigationTiming[];
    return { origin: Date.now() - performance.now(), loadEventEnd, responseEnd };
  });

test('document load: beside the official instrumentation, nothing stable of it is missing', async ({
  page,
  site,
}) => {
  const options = { service: site.service, endpoint: '/spandrel', scheduledDelayMillis: 0, ...LOAD_ONLY };
  await site.run(
    page,
    `import { start } from 'spandrel';
    import { DocumentLoadInstrumentation } from '@opentelemetry/instrumentation-document-load';
    start({ ...${JSON.stringify(options)}, instrumentations: [new DocumentLoadInstrumentation()] });`,
    { body: '<img src="/icon.svg?size=8&token=secret" alt="">' },
  );
  const { root, children } = await loadTrace(site);
  await expect.poll(async () => namesOf(await site.spans())).toContain('documentLoad');
  const spans = await site.spans();
  const theirRoot = spans.find(({ name }) => name === 'documentLoad') as OtlpSpan;
  const theirs = spans.filter(({ traceId }) => traceId === theirRoot.traceId);

  const differences = new Set<string>();
  for (const their of theirs) {
    const url = new URL(String(attributeOf(their.attributes, 'url.full')));
    const expected = url.pathname + url.search.replace(/=[^&]*/g, '=REDACTED');
    const our =
      their === theirRoot
        ? root
        : children.find((child) => child.name === their.name && pathOf(child) === expected);
    expect(our, `${their.name} of ${url}`).toBeDefined();
    for (const { key, value } of their.attributes ?? []) {
      if (JSON.stringify(our?.attributes?.find((one) => one.key === key)?.value) === JSON.stringify(value))
        continue;
      differences.add(`${their.name} ${key}`);
    }
    const events = new Set(our?.events?.map(({ name }) => name));
    for (const { name } of their.events ?? [])
      if (!events.has(name)) differences.add(`${their.name} ${name}`);
    // Ours is read from the wall as the trace begins, theirs as the page did: on a busy machine the two have drifted apart.
    expect(Math.abs(millis(our?.endTimeUnixNano ?? '0') - millis(their.endTimeUnixNano))).toBeLessThan(
      their === theirRoot ? 15_000 : 100,
    );
  }
  expect([...differences].filter((difference) => !EXPLAINED[difference])).toEqual([]);
});

test('document load: one trace, 200 resources, however the page treats its entries', async ({
  page,
  site,
}) => {
  const images = Array.from({ length: 230 }, (_, index) => `<img src="/icon.svg?n=${index}" alt="">`).join(
    '',
  );
  await site.open(page, LOAD_ONLY, {
    // What a page may do that has seen better days.
    head: `<script>
      performance.setResourceTimingBufferSize(5);
      setInterval(() => performance.clearResourceTimings(), 5);
    </script>`,
    body: images,
  });
  const { root, children } = await loadTrace(site);
  const { origin, loadEventEnd } = await readClock(page);
  const attribute = (name: string): unknown => attributeOf(root.attributes, name);
  expect(root.name).toBe('load /:id/:id');
  expect(attribute('user_agent.original')).toBe(await page.evaluate(() => navigator.userAgent));
  expect(attribute('url.template')).toBe('/:id/:id');
  expect(attribute('browser.navigation_timing.type')).toBe('navigate');
  expect(attribute('spandrel.activity.type')).toBe('load');
  expect(attribute('spandrel.activity.end')).toBe('quiet');
  // 232 at least, some of which the browser may tell of when the root has ended.
  expect(attribute('spandrel.resources.left_out')).toBeGreaterThanOrEqual(20);
  expect(namesOf(children).filter((name) => name === 'resourceFetch')).toHaveLength(200);
  expect(namesOf(children).filter((name) => name === 'documentFetch')).toHaveLength(1);
  expect(root.events?.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      'domInteractive',
      'domContentLoadedEventEnd',
      'loadEventEnd',
      'first-contentful-paint',
    ]),
  );
  expect(Math.abs(millis(root.startTimeUnixNano) - origin)).toBeLessThan(100);
  const end = root.events?.find(({ name }) => name === 'loadEventEnd')?.timeUnixNano ?? '0';
  expect(Math.abs(millis(end) - origin - loadEventEnd)).toBeLessThan(100);
  for (const child of children) {
    expect(millis(child.startTimeUnixNano)).toBeGreaterThanOrEqual(millis(root.startTimeUnixNano));
    expect(millis(child.endTimeUnixNano)).toBeLessThanOrEqual(millis(root.endTimeUnixNano) + 0.01);
  }
});

test('document load: what the browser hides of a resource is left out, not told as zero', async ({
  page,
  site,
}) => {
  const { host } = site;
  const svg = '<svg xmlns="http://www.w3.org/2000/svg"/>';
  const type = 'image/svg+xml';
  host.page('/hidden.svg', svg, { type });
  const headers = { 'timing-allow-origin': '*', 'access-control-allow-origin': '*' };
  host.page('/shown.svg', svg, { type, headers });
  const other = host.origin.replace('127.0.0.1', 'localhost');
  await site.open(page, LOAD_ONLY, {
    // Of some resources a browser may not know what asked for them.
    head: `<script>
      const type = Object.getOwnPropertyDescriptor(PerformanceResourceTiming.prototype, 'initiatorType');
      Object.defineProperty(PerformanceResourceTiming.prototype, 'initiatorType', {
        get() { return this.name.endsWith('/icon.svg') ? '' : type.get.call(this); },
      });
    </script>`,
    body: `<img src="${other}/hidden.svg" alt=""><img src="${other}/shown.svg" crossorigin alt="">
      <img src="${other}/icon.svg" alt="">`,
  });
  const { children } = await loadTrace(site);
  const seen = (path: string) => {
    const span = children.find((child) => child.name === 'resourceFetch' && pathOf(child) === path);
    const told = span?.attributes?.filter(({ key }) => /^(http|browser)\./.test(key)) ?? [];
    return {
      attributes: Object.fromEntries(told.map(({ key }) => [key, attributeOf(span?.attributes, key)])),
      events: span?.events?.map(({ name }) => name),
    };
  };
  expect(seen('/hidden.svg')).toEqual({
    attributes: { 'browser.resource_timing.initiator_type': 'img' },
    events: ['responseEnd'],
  });
  expect(seen('/icon.svg')).toEqual({ attributes: {}, events: ['responseEnd'] });
  const shown = seen('/shown.svg');
  expect(shown.attributes).toEqual({
    'http.response.body.size': svg.length,
    'browser.resource_timing.initiator_type': 'img',
    'http.response.status_code': 200,
  });
  expect(shown.events).toEqual(expect.arrayContaining(['requestStart', 'responseStart', 'responseEnd']));
});

test('document load: a page that takes the entries away gets what is left, and no exception', async ({
  page,
  site,
}) => {
  const head = `<script>
    performance.getEntriesByType = () => { throw new Error('taken away'); };
    performance.getEntries = undefined;
  </script>`;
  await site.open(page, { ...LOAD_ONLY, webVitals: true, longFrames: true }, { head });
  // After the load event, and of the load all the same; what is fetched has a span of its own, or wants none.
  await page.evaluate(() => {
    document.body.append(Object.assign(new Image(), { src: '/icon.svg?late=1' }));
    return fetch('/icon.svg?fetched').then((response) => response.text());
  });
  const { root, children } = await loadTrace(site);
  expect(namesOf(root.events ?? [])).toEqual(['session.start']);
  const resources = children.filter(({ name }) => name === 'resourceFetch');
  expect(resources.map(pathOf)).toEqual(
    expect.arrayContaining(['/dist/script.js', '/icon.svg?late=REDACTED']),
  );
  expect(resources.map(pathOf).join()).not.toContain('fetched');
  expect(namesOf(children)).not.toContain('documentFetch');
});

test('document load: told of late, it lies where it was, and what comes after is not of it', async ({
  page,
  site,
}) => {
  const options = { service: site.service, endpoint: '/spandrel', scheduledDelayMillis: 0, ...LOAD_ONLY };
  await site.run(
    page,
    `import { start } from 'spandrel';
    globalThis.startLate = () => {
      globalThis.sdk = start(${JSON.stringify(options)});
      sdk.tracer.startSpan('just after').end();
    };`,
  );
  await page.waitForFunction(() => {
    const [load] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
    return load?.loadEventEnd && performance.now() > load.loadEventEnd + 1_500;
  });
  await page.evaluate(() => fetch('/icon.svg?later'));
  await page.evaluate(() => globalThis.startLate());
  const { root, children } = await loadTrace(site);
  const { origin, loadEventEnd, responseEnd } = await readClock(page);
  expect(Math.abs(millis(root.startTimeUnixNano) - origin)).toBeLessThan(100);
  expect(Math.abs(millis(root.endTimeUnixNano) - origin - loadEventEnd)).toBeLessThan(100);
  expect(attributeOf(root.attributes, 'spandrel.activity.end')).toBe('quiet');
  await expect.poll(async () => (await loadTrace(site)).children.map(pathOf)).toContain('/dist/index.js');
  const [fetched] = children.filter(({ name }) => name === 'documentFetch');
  expect(Math.abs(millis(fetched?.endTimeUnixNano ?? '0') - origin - responseEnd)).toBeLessThan(100);
  expect((await loadTrace(site)).children.map(pathOf)).not.toContain('/icon.svg?later');
  await expect.poll(async () => namesOf(await site.spans())).toContain('just after');
  const after = (await site.spans()).find(({ name }) => name === 'just after');
  expect(after?.traceId).not.toBe(root.traceId);
});

test('document load: left before it was over, it says how far it came', async ({ page, site }) => {
  // Never answered while the page lives: its load event does not come.
  site.host.route('/never.svg', () => {});
  site.host.page('/away', plainPage());
  const options = { service: site.service, endpoint: '/spandrel', ...LOAD_ONLY };
  const attributes = Object.entries(options).map(
    ([name, value]) => `data-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}="${value}"`,
  );
  const url = site.serve(
    `<!doctype html><title>A page</title><link rel="icon" href="data:,">
    <script src="/dist/script.js" ${attributes.join(' ')}></script><img src="/never.svg" alt="">`,
  );
  await page.goto(url, { waitUntil: 'domcontentloaded' });
  await page.evaluate(() => {
    location.href = '/away';
  });
  await page.waitForURL('**/away');
  const { root, children } = await loadTrace(site);
  expect(attributeOf(root.attributes, 'spandrel.activity.end')).toMatch(/leaving|hidden/);
  expect(root.events?.map(({ name }) => name)).toContain('domInteractive');
  expect(namesOf(children)).toEqual(expect.arrayContaining(['documentFetch', 'resourceFetch']));
});

test('document load: a prerendered page begins when it is shown', async ({ page, site }) => {
  // As Chromium has it; under its driver it prerenders nothing.
  const head = `<script>
    let shownAt = 0;
    Object.defineProperty(Document.prototype, 'prerendering', { get: () => !shownAt });
    Object.defineProperty(PerformanceNavigationTiming.prototype, 'activationStart', { get: () => shownAt });
    setTimeout(() => {
      shownAt = performance.now();
      document.dispatchEvent(new Event('prerenderingchange', { bubbles: true }));
    }, 1_500);
  </script>`;
  await site.open(page, LOAD_ONLY, { head });
  const { root, children } = await loadTrace(site);
  const { origin } = await readClock(page);
  const shownAt = await page.evaluate(
    () =>
      (performance.getEntriesByType('navigation')[0] as { activationStart?: number }).activationStart ?? 0,
  );
  expect(shownAt).toBeGreaterThan(1_400);
  expect(Math.abs(millis(root.startTimeUnixNano) - origin - shownAt)).toBeLessThan(100);
  // What had been done by then cost its user nothing.
  expect(namesOf(root.events ?? [])).toEqual(['session.start']);
  expect(children).toEqual([]);
});
