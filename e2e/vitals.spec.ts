import type { Page } from '@playwright/test';
import { expect, letTimePass, plainPage, type Site, test } from './support/fixtures.js';
import { attributeOf, type OtlpSpan } from './support/otlp.js';
import { NO_PARTS } from './support/parts.mjs';
import { IMPORT_MAP } from './support/vendor.mjs';

declare global {
  var block: (millis: number) => void;
}

const VITALS = { ...NO_PARTS, documentLoad: true, webVitals: true };

const millis = (nanos: string): number => Number(BigInt(nanos) / 1_000n) / 1_000;
const vital = (span: OtlpSpan, name: string): unknown =>
  attributeOf(span.attributes, `browser.web_vital.${name}`);
const vitalsOf = (spans: OtlpSpan[], name: string): OtlpSpan[] =>
  spans.filter((span) => span.name === `web-vital ${name}`);
const rootOf = (spans: OtlpSpan[]): OtlpSpan => spans.find(({ name }) => /^load /.test(name)) as OtlpSpan;
const expectVitals = (site: Site, names: string[]): Promise<void> =>
  expect
    .poll(async () => [...new Set((await site.spans()).map(({ name }) => name))], {
      message: 'names of spans',
    })
    .toEqual(expect.arrayContaining(names.map((name) => `web-vital ${name}`)));

/** Blocks for as long as a listener is told to. */
const BLOCK = `<script>
  globalThis.block = (millis) => {
    const end = performance.now() + millis;
    while (performance.now() < end);
  };
</script>`;

/** What web-vitals with its own attribution says of the page, kept where the next page finds it. */
const OFFICIAL = `<script type="importmap">${JSON.stringify(IMPORT_MAP)}</script>
<script type="module">
  import * as vitals from 'web-vitals/attribution';
  const keep = ({ name, value, rating, attribution }) => {
    const plain = Object.entries(attribution).filter(([, part]) => typeof part !== 'object');
    localStorage.setItem('vital ' + name, JSON.stringify({ value, rating, ...Object.fromEntries(plain) }));
  };
  for (const name of ['CLS', 'FCP', 'INP', 'LCP', 'TTFB']) vitals['on' + name](keep);
</script>`;

/** What ours says otherwise, and why. */
const EXPLAINED: Record<string, string> = {
  'LCP url': 'query values are replaced',
  'INP interactionTime': 'the start of the span',
  'INP nextPaintTime': 'the end of the span',
  'INP totalScriptDuration': 'long frames have spans of their own',
  'INP totalStyleAndLayoutDuration': 'long frames have spans of their own',
  'INP totalPaintDuration': 'long frames have spans of their own',
  'INP totalUnattributedDuration': 'long frames have spans of their own',
};

const snake = (name: string): string =>
  name.replace('FCP', 'Fcp').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const away = async (page: Page, site: Site): Promise<void> => {
  site.host.page('/away', plainPage());
  await page.goto(`${site.host.origin}/away`);
};

test('web vitals: what web-vitals says with its own attribution, in the trace of the load', async ({
  page,
  site,
  browserName,
}) => {
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="400"><rect width="400" height="400"/>';
  site.host.route('/large.svg', (_req, res) => {
    res.writeHead(200, { 'content-type': 'image/svg+xml' }).end(`${svg}${'<!---->'.repeat(4_000)}</svg>`);
  });
  await site.open(page, VITALS, {
    head: BLOCK + OFFICIAL,
    body: `<div id="gap"></div><p class="b a">Text</p><img src="/large.svg?token=secret" alt="" width="400" height="400">
    <script>
      document.querySelector('#act').onclick = (event) => {
        block(120);
        // Gone by the time of the report.
        setTimeout(() => event.target.remove(), 300);
      };
      setTimeout(() => { document.querySelector('#gap').style.height = '200px'; }, 700);
    </script>`,
  });
  await page.waitForFunction(() => performance.now() > 1_200);
  await page.click('#act');
  await page.waitForFunction(() => !document.querySelector('#act'));
  // web-vitals looks at what was pressed when the page is idle, and has asked for that before us.
  await page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        const observer = new PerformanceObserver(() => requestIdleCallback(() => resolve()));
        observer.observe({ type: 'first-input', buffered: true });
      }),
  );
  await away(page, site);
  const names = ['TTFB', 'FCP', 'LCP', 'INP', ...(browserName === 'chromium' ? ['CLS'] : [])];
  await expectVitals(site, names);
  const official = await page.evaluate(() =>
    Object.fromEntries(
      Object.entries(localStorage)
        .filter(([name]) => name.startsWith('vital '))
        .map(([name, text]) => [name.slice(6), JSON.parse(text)]),
    ),
  );
  const spans = await site.spans();
  const root = rootOf(spans);
  const differences: string[] = [];
  for (const name of names) {
    const [span, ...more] = vitalsOf(spans, name);
    if (!span) throw new Error(name);
    expect(more, name).toEqual([]);
    expect(span.parentSpanId, name).toBe(root.spanId);
    expect(vital(span, 'name')).toBe(name.toLowerCase());
    expect(vital(span, 'delta')).toBe(vital(span, 'value'));
    expect(vital(span, 'id')).toMatch(/^v6-/);
    expect(vital(span, 'navigation_type')).toBe('navigate');
    const { value, rating, ...attribution } = official[name] ?? {};
    expect(vital(span, 'value'), name).toBe(value);
    expect(vital(span, 'rating')).toBe(rating);
    for (const [key, expected] of Object.entries(attribution)) {
      const ours = attributeOf(span.attributes, `spandrel.web_vital.${snake(key)}`);
      const isSame =
        typeof expected === 'number' ? Math.abs((ours as number) - expected) < 0.001 : ours === expected;
      if (!isSame && !EXPLAINED[`${name} ${key}`])
        differences.push(`${name} ${key}: ${expected}, ours ${ours}`);
    }
    const start = millis(span.startTimeUnixNano) - millis(root.startTimeUnixNano);
    const length = millis(span.endTimeUnixNano) - millis(span.startTimeUnixNano);
    expect(Math.abs(length - (name === 'CLS' ? 0 : value)), name).toBeLessThan(0.01);
    const expectedStart =
      name === 'CLS' ? official.CLS.largestShiftTime : name === 'INP' ? official.INP.interactionTime : 0;
    expect(Math.abs(start - expectedStart), name).toBeLessThan(0.01);
  }
  expect(differences).toEqual([]);
});

test('web vitals: a soft navigation has its own', async ({ page, site, browserName }) => {
  test.skip(browserName !== 'chromium', 'only Chromium knows soft navigations');
  await site.open(page, VITALS, {
    body: `<main>One</main><script>
      document.querySelector('#act').onclick = () => {
        history.pushState({}, '', location.pathname + '/two?token=secret');
        document.querySelector('main').innerHTML = '<h1>Two</h1><p>' + 'Words. '.repeat(100) + '</p>';
      };
    </script>`,
  });
  await page.waitForFunction(() => performance.now() > 500);
  await page.click('#act');
  const soft = async (): Promise<string[]> =>
    (await site.spans())
      .filter((span) => vital(span, 'navigation_type') === 'soft-navigation')
      .map(({ name }) => name);
  await expect.poll(soft).toEqual(expect.arrayContaining(['web-vital FCP', 'web-vital TTFB']));
  // Its LCP may still grow.
  await letTimePass(page, 300);
  await away(page, site);
  await expect.poll(soft).toContain('web-vital LCP');
  const spans = await site.spans();
  const root = rootOf(spans);
  const clicked = vitalsOf(spans, 'FCP').find((span) => vital(span, 'navigation_type') === 'soft-navigation');
  expect(millis(clicked?.startTimeUnixNano ?? '0') - millis(root.startTimeUnixNano)).toBeGreaterThan(500);
  expect(JSON.stringify(spans)).not.toContain('secret');
});

test('long frames: in the activity that they hold up, and alone when they are long', async ({
  page,
  site,
  browserName,
}) => {
  test.skip(browserName !== 'chromium', 'only Chromium tells of long frames or tasks');
  await site.open(
    page,
    { ...NO_PARTS, documentLoad: true, longFrames: true },
    {
      head: BLOCK,
      body: `<script>
      function blocksWhileLoading() { block(120); }
      setTimeout(blocksWhileLoading);
      document.querySelector('#act').onclick = function blocksAlone() { block(400); };
    </script>`,
    },
  );
  const frames = async (): Promise<OtlpSpan[]> =>
    (await site.spans()).filter(({ name }) => name === 'long-animation-frame');
  await expect.poll(async () => (await frames()).length).toBeGreaterThan(0);
  const root = await expect
    .poll(async () => rootOf(await site.spans())?.name)
    .toMatch(/^load /)
    .then(async () => rootOf(await site.spans()));
  const during = (await frames()).find((span) => JSON.stringify(span).includes('blocksWhileLoading'));
  expect(during?.parentSpanId).toBe(root.spanId);
  expect(attributeOf(during?.attributes, 'spandrel.long_frame.blocking_millis')).toBeGreaterThan(50);

  // The load has long ended; one below 200 ms makes no trace.
  await page.evaluate(() => globalThis.block(120));
  await page.click('#act');
  await expect.poll(async () => JSON.stringify(await frames())).toContain('blocksAlone');
  const alone = (await frames()).filter(({ traceId }) => traceId !== root.traceId);
  expect(alone).toHaveLength(1);
  expect(alone[0]?.parentSpanId ?? '').toBe('');
  const script = alone[0]?.attributes?.find(({ key }) => key === 'spandrel.long_frame.scripts');
  expect(script?.value.arrayValue?.values?.[0]?.stringValue).toMatch(
    /^BUTTON#act\.onclick, blocksAlone in http\S+\/1, 4\d\d ms$/,
  );
});

test('clock: set forward within a trace, its spans stay together, and the next trace is right', async ({
  page,
  site,
}) => {
  const HOUR = 3_600_000;
  await site.open(page, {});
  await page.evaluate((hour) => {
    const { tracer } = globalThis.spandrel.instance as import('../src/start.js').Spandrel;
    tracer.startActiveSpan('parent', { root: true }, (parent) => {
      const { now } = Date;
      Date.now = () => now() + hour;
      tracer.startSpan('child').end();
      parent.end();
      tracer.startSpan('after', { root: true }).end();
      Date.now = now;
    });
  }, HOUR);
  await site.expectStored(['parent', 'child', 'after']);
  const [parent, child, after] = ['parent', 'child', 'after'].map((name) => ({ name })) as OtlpSpan[];
  const spans = await site.spans();
  const startOf = (wanted?: OtlpSpan): number =>
    millis(spans.find(({ name }) => name === wanted?.name)?.startTimeUnixNano ?? '0');
  const attributes = spans.find(({ name }) => name === 'child')?.attributes;
  expect(startOf(child) - startOf(parent)).toBeLessThan(1_000);
  expect(Math.abs((attributeOf(attributes, 'spandrel.clock.shift_millis') as number) - HOUR)).toBeLessThan(
    100,
  );
  expect(startOf(after) - startOf(parent)).toBeGreaterThan(HOUR - 1_000);
});
