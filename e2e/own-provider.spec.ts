import { expect, test } from './support/fixtures.js';
import { attributeOf } from './support/otlp.js';

declare global {
  var page: { disable(): void; enable(): void };
}

test('an app with its own provider: the parts of start() it asks for, and a click without work leaves nothing', async ({
  page,
  site,
}) => {
  const code = `
    import { context, trace } from '@opentelemetry/api';
    import { registerInstrumentations } from '@opentelemetry/instrumentation';
    import { BatchSpanProcessor, WebTracerProvider } from '@opentelemetry/sdk-trace-web';
    import {
      bucket, PageInstrumentation, sessionProcessor, spandrelSampler, TraceBatchProcessor, TraceExporter,
    } from 'spandrel';

    const exporter = new TraceExporter({ destination: bucket({ endpoint: '/spandrel' }) });
    const processor = new TraceBatchProcessor(exporter, { scheduledDelayMillis: 0 });
    globalThis.page = new PageInstrumentation({ webVitals: false, longFrames: false, documentLoad: false }, processor);
    const { resourceFromAttributes } = await import('@opentelemetry/resources');
    new WebTracerProvider({
      resource: resourceFromAttributes({ 'service.name': ${JSON.stringify(site.service)} }),
      sampler: spandrelSampler({ sampleRate: 1 }),
      spanProcessors: [sessionProcessor(exporter), globalThis.page.spanProcessor, processor],
    }).register({ contextManager: globalThis.page.contextManager });
    registerInstrumentations({ instrumentations: [globalThis.page] });

    document.querySelector('#idle').addEventListener('click', () => {});
    document.querySelector('#act').addEventListener('click', async () => {
      await fetch('/icon.svg?who=jane');
      trace.getTracer('app').startSpan('work of the app').end();
    });
    globalThis.stats = () => exporter.stats();`;
  await site.run(page, code, { body: '<button id="idle">Idle</button>' });
  await page.click('#idle');
  await page.click('#act');
  const named = async (name: string) => (await site.spans()).find((span) => span.name === name);
  await expect.poll(() => named('click button#act')).toBeTruthy();
  const click = await named('click button#act');
  for (const name of ['GET', 'work of the app']) {
    const child = await named(name);
    expect([child?.traceId, child?.parentSpanId], name).toEqual([click?.traceId, click?.spanId]);
    expect(attributeOf(child?.attributes, 'session.id')).toMatch(/^[\da-f]{32}$/);
  }
  const request = await named('GET');
  expect(attributeOf(request?.attributes, 'url.full')).toMatch(/icon\.svg\?who=REDACTED$/);
  expect(await named('click button#idle')).toBeUndefined();
  expect(await page.evaluate('stats().buffer.open'), 'nothing is waited for').toBe(0);

  // Off and on again, as instrumentations go.
  await page.evaluate(() => globalThis.page.disable());
  await page.click('#act');
  await page.evaluate(() => globalThis.page.enable());
  await page.evaluate(() => history.pushState({}, '', '/again'));
  await expect.poll(() => named('route /again')).toBeTruthy();
  expect((await site.spans()).filter(({ name }) => name === 'GET')).toHaveLength(1);
});

test('start({ instrumentations }): they get our provider, and are ended with us', async ({ page, site }) => {
  const code = `
    import { start } from 'spandrel';
    const heard = (globalThis.heard = []);
    const instrumentation = {
      setTracerProvider: (provider) => provider.getTracer('theirs').startSpan('theirs').end(),
      enable: () => heard.push('enabled'),
      disable: () => heard.push('disabled'),
    };
    const broken = { ...instrumentation, enable() { throw new Error('theirs'); } };
    const sdk = start({
      service: ${JSON.stringify(site.service)}, endpoint: '/spandrel', documentLoad: false, webVitals: false, longFrames: false,
      instrumentations: [broken, instrumentation],
    });
    await sdk.flush();
    globalThis.exceptions = sdk.stats().exceptions;
    await sdk.shutdown();`;
  await site.run(page, code);
  await site.expectStored(['theirs', 'theirs']);
  expect(await page.evaluate('heard')).toEqual(['enabled', 'disabled', 'disabled']);
  expect(await page.evaluate('exceptions')).toBe(1);
});
