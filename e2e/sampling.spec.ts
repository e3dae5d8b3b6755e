import type { Page } from '@playwright/test';
import type { SamplingRule } from '../src/protocol.js';
import { expect, expectLedgerHeld, plainPage, type Site, test } from './support/fixtures.js';
import { attributeOf, type OtlpSpan } from './support/otlp.js';

const rules: SamplingRule[] = [
  { id: 'cart', match: { 'app.page': 'cart' }, rate: 1 },
  { id: 'late', match: { 'url.template': '/pay' }, rate: 1 },
];

test.use({ mockOptions: { ingest: { config: { paused: false, rules } } } });

/** Serves a page that begins with what a tag cannot say; `options` is code. Nothing is traced by itself. */
const serve = (site: Site, options: string): string =>
  site.serve(
    plainPage().replace(
      '</head>',
      `<script src="/dist/script.js"></script>
      <script type="module">
        import { recordTracer, watchLedger } from '/e2e/recorder.mjs';
        const parts = ['documentLoad', 'fetch', 'xhr', 'routes', 'interactions', 'resources', 'longFrames', 'webVitals'];
        const instance = spandrel.start({
          ...Object.fromEntries(parts.map((name) => [name, false])),
          ...{ service: ${JSON.stringify(site.service)}, scheduledDelayMillis: 0 },
          ${options}
        });
        spandrel.instance = instance;
        recordTracer(instance.tracer);
        watchLedger(instance);
      </script></head>`,
    ),
  );

const open = async (page: Page, url: string): Promise<void> => {
  await page.goto(url);
  await page.waitForFunction(() => globalThis.spandrel.instance !== undefined);
};

const stats = (page: Page) => page.evaluate(() => globalThis.spandrel.instance?.stats());

const named = (spans: OtlpSpan[], name: string): OtlpSpan | undefined =>
  spans.find((span) => span.name === name);

test('rules of the endpoint: obeyed at once, by later routing, and by the next page’s first trace; errors come on top', async ({
  page,
  site,
}) => {
  const url = serve(site, "endpoint: '/spandrel'");
  await open(page, url);
  // Before the endpoint is heard everything is kept; its answer brings the rules.
  await page.evaluate(() => globalThis.makeTrace(globalThis.spandrel.instance?.tracer, 'first', 1));
  await site.expectStored(['first', 'first child 1']);
  expect((await stats(page))?.sampling).toMatchObject({ rules: 2, badRules: 0, kept: 1, dropped: 0 });

  await open(page, url);
  expect((await stats(page))?.sampling.rules).toBe(2);
  await page.evaluate(() => {
    const tracer = globalThis.spandrel.instance?.tracer;
    if (!tracer) return;
    globalThis.makeTrace(tracer, 'unmatched', 2);
    tracer.startActiveSpan('matched', { root: true, attributes: { 'app.page': 'cart' } }, (root) => {
      tracer.startSpan('below').end();
      root.end();
    });
    tracer.startActiveSpan('routed', { root: true }, (root) => {
      tracer.startSpan('before the route is known').end();
      root.setAttribute('url.template', '/pay');
      root.end();
    });
    tracer.startActiveSpan('failing', { root: true }, (root) => {
      tracer.startSpan('before the error').end();
      root.setStatus({ code: 2, message: 'planted' });
      root.end();
    });
  });
  const expected = [
    ...['first', 'first child 1', 'matched', 'below', 'routed', 'before the route is known'],
    ...['failing', 'before the error'],
  ];
  await site.expectStored(expected);
  const sampling = await page
    .waitForFunction(() => {
      const { sampling } = globalThis.spandrel.instance?.stats() ?? {};
      return sampling?.undecided === 0 && sampling;
    })
    .then((handle) => handle.jsonValue());
  expect(sampling).toMatchObject({ kept: 3, dropped: 1, droppedSpans: 3 });

  const spans = await site.spans();
  const said = (name: string, attribute: string): unknown =>
    attributeOf(named(spans, name)?.attributes, `spandrel.sampling.${attribute}`);
  expect([said('matched', 'rule_id'), said('matched', 'reason')]).toEqual(['cart', undefined]);
  expect([said('routed', 'rule_id'), said('routed', 'reason')]).toEqual(['late', 'marked']);
  expect([said('failing', 'reason'), said('failing', 'probability')]).toEqual(['error', 0]);
  await expectLedgerHeld(page);
});

test('sampled out: nothing is in the database, no bytes go; an error on the leaving page brings its whole trace', async ({
  page,
  site,
}) => {
  await open(page, serve(site, "endpoint: '/spandrel', sampleRate: 0, sampleBy: 'trace'"));
  await page.evaluate(() => {
    for (let index = 0; index < 20; index++) {
      globalThis.makeTrace(globalThis.spandrel.instance?.tracer, 'sampled out', 2);
    }
  });
  // The endpoint is asked for its rules all the same; beside that there is nothing.
  await page.waitForFunction(() => globalThis.spandrel.instance?.stats().sampling.rules === 2);
  await page.waitForFunction(() => globalThis.spandrel.instance?.stats().sampling.dropped === 20);
  const after = await stats(page);
  expect(after?.sampling.droppedSpans).toBe(60);
  expect(after?.spans.created).toBe(0);
  expect(site.mock.requests.list('bucket')).toEqual([]);
  await page.evaluate(() => {
    // A page with such a listener never enters the bfcache, in any engine.
    addEventListener('unload', () => {});
    const tracer = globalThis.spandrel.instance?.tracer;
    tracer?.startActiveSpan('left open', { root: true }, (root) => {
      tracer.startSpan('ended').end();
      root.setStatus({ code: 2 });
    });
  });
  await expectLedgerHeld(page);
  await page.goto(site.serve(plainPage()));
  await site.expectStored(['left open', 'ended']);
  const root = named(await site.spans(), 'left open');
  expect(attributeOf(root?.attributes, 'spandrel.interrupted')).toBe(true);
  expect(attributeOf(root?.attributes, 'spandrel.sampling.reason')).toBe('error');
});

test('sampleRate: the threshold travels with what is kept; a mark keeps one more', async ({ page, site }) => {
  const nowhere = `destination: { open: () => ({
    warmUp() {}, ready: () => false, send: async () => ({ status: 'unready' }), leave() {}, settle: async () => {}, close() {},
  }) }`;
  await open(page, serve(site, `${nowhere}, sampleRate: 0.5, sampleBy: 'trace'`));
  const { roots, isMarked, waiting } = await page.evaluate(() => {
    const instance = globalThis.spandrel.instance;
    if (!instance) throw new Error('not started');
    const spans = Array.from({ length: 200 }, () => instance.tracer.startSpan('root', { root: true }));
    const isMarked = instance.mark(spans.find((span) => !span.spanContext().traceFlags));
    for (const span of spans) span.end();
    const roots = spans.map((span) => {
      const { traceId, traceFlags, traceState } = span.spanContext();
      return { traceId, traceFlags, state: traceState?.serialize() };
    });
    return { roots, isMarked, waiting: instance.stats().spans.waiting };
  });
  const sampled = roots.filter(({ traceFlags }) => traceFlags);
  expect(sampled.length).toBeGreaterThan(60);
  expect(sampled.length).toBeLessThan(140);
  for (const { traceId, traceFlags, state } of roots) {
    expect([traceFlags, state]).toEqual(traceId.slice(18) >= '8' ? [1, 'ot=th:8'] : [0, undefined]);
  }
  expect([isMarked, waiting]).toEqual([true, sampled.length + 1]);
  await expectLedgerHeld(page);
});

test('tailSampling: an app with its own provider keeps what failed and what it marks, and nothing else', async ({
  page,
  site,
}) => {
  const code = `
    import { BasicTracerProvider } from '@opentelemetry/sdk-trace-web';
    import { resourceFromAttributes } from '@opentelemetry/resources';
    import { bucket, tailSampling, TraceBatchProcessor, TraceExporter } from 'spandrel';
    const exporter = new TraceExporter({ destination: bucket({ endpoint: '/spandrel' }) });
    const { sampler, mark } = tailSampling(exporter, { sampleRate: 0 });
    const tracer = new BasicTracerProvider({
      resource: resourceFromAttributes({ 'service.name': ${JSON.stringify(site.service)} }),
      sampler,
      spanProcessors: [new TraceBatchProcessor(exporter)],
    }).getTracer('app');
    const [plain, failed, marked] = ['plain', 'failed', 'marked'].map((name) => tracer.startSpan(name));
    failed.setStatus({ code: 2 });
    globalThis.marks = [mark(marked)];
    for (const span of [plain, failed, marked]) span.end();
    await exporter.flush();
    globalThis.marks.push(mark(plain), mark(marked));
    const { dropped, kept } = exporter.stats().sampling;
    globalThis.counts = { dropped, kept };
    const thrown = (options) => {
      try { tailSampling(exporter, options); } catch (error) { return String(error); }
    };
    globalThis.errors = [{ sampleRate: 2 }, { sessionId: 'x' }, { rate: 1 }].map(thrown);`;
  await site.run(page, code);
  await site.expectStored(['failed', 'marked']);
  expect(await page.evaluate('marks')).toEqual([true, false, true]);
  expect(await page.evaluate('counts')).toEqual({ dropped: 1, kept: 2 });
  expect(await page.evaluate('errors')).toEqual([
    expect.stringMatching(/option "sampleRate" takes a number from 0 to 1, got 2/),
    expect.stringMatching(/option "sessionId" takes a function, got "x"/),
    expect.stringMatching(/tailSampling\(\) has no option "rate"; it takes sampleRate, /),
  ]);
});
