import { gunzipSync } from 'node:zlib';
import type { Page } from '@playwright/test';
import type { Stats } from '../src/diagnostics/stats.js';
import type { TraceExporter } from '../src/index.js';
import { expect, plainPage, type Site, test } from './support/fixtures.js';
import { attributeOf, type OtlpRequest, spansOf } from './support/otlp.js';

declare global {
  var teed: TraceExporter;
  var makeOne: (name: string) => void;
}

/** A collector on the page's own origin, as OpenTelemetry's answers: what it was given, and whether it is down. */
function startCollector(site: Site): { url: string; isDown: boolean; names(): string[] } {
  const names: string[] = [];
  const path = `/collector-${site.service.replace(/\W/g, '')}`;
  const self = { url: path, isDown: false, names: () => [...names].sort() };
  site.host.route(`${path}/v1/traces`, async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    if (self.isDown) return res.writeHead(503).end();
    const bytes = req.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
    const request = JSON.parse(bytes.toString()) as OtlpRequest;
    for (const { resource } of request.resourceSpans) {
      expect(attributeOf(resource.attributes, 'service.name')).toBe(site.service);
    }
    names.push(...spansOf(request).map(({ name }) => name));
    res.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  return self;
}

/** Opens a page whose traces go to these. */
const open = (page: Page, site: Site, destination: string): Promise<string> =>
  site.run(
    page,
    `
    import { WebTracerProvider } from '@opentelemetry/sdk-trace-web';
    import { resourceFromAttributes } from '@opentelemetry/resources';
    import { bucket, tee, TraceBatchProcessor, TraceExporter } from 'spandrel';
    import { otlp } from 'spandrel/otlp';

    const exporter = new TraceExporter({ destination: ${destination} });
    const tracer = new WebTracerProvider({
      resource: resourceFromAttributes({ 'service.name': ${JSON.stringify(site.service)} }),
      spanProcessors: [new TraceBatchProcessor(exporter, { scheduledDelayMillis: 0 })],
    }).getTracer('app');
    globalThis.makeOne = (name) => {
      const root = tracer.startSpan(name);
      root.end();
    };
    globalThis.teed = exporter;`,
  );

const trace = (page: Page, name: string): Promise<void> =>
  page.evaluate((name) => globalThis.makeOne(name), name);

const spansOfStats = (page: Page): Promise<Stats['spans'][]> =>
  page.evaluate(() => {
    const { spans, others } = globalThis.teed.stats();
    return [spans, ...others.map((other) => other.spans)];
  });

async function expectBalanced(page: Page): Promise<void> {
  for (const { created, adopted, stored, waiting, handedOver, dropped } of await spansOfStats(page)) {
    expect(dropped).toEqual({});
    expect(created + adopted).toBe(stored + waiting + handedOver);
  }
}

for (const down of ['the collector', 'the bucket'] as const) {
  for (const order of ['bucket first', 'collector first'] as const) {
    test(`tee: ${down} is down, the page is reloaded, and both have everything once it is back (${order})`, async ({
      page,
      site,
      allowConsole,
    }) => {
      allowConsole(/Failed to load resource/, /blocked by CORS policy/);
      const collector = startCollector(site);
      const [bucket, otlp] = ["bucket({ endpoint: '/spandrel' })", `otlp({ url: '${collector.url}' })`];
      const destination = `tee(${order === 'bucket first' ? [bucket, otlp] : [otlp, bucket]})`;
      const collected = (): Promise<string[]> => Promise.resolve(collector.names());
      const stored = async (): Promise<string[]> => (await site.spans()).map(({ name }) => name).sort();
      const [up, lagging] = down === 'the collector' ? [stored, collected] : [collected, stored];
      if (down === 'the collector') collector.isDown = true;
      else
        for (const target of ['bucket', 'endpoint'] as const)
          site.mock.faults.set(target, { kind: 'status', status: 503 });

      await open(page, site, destination);
      for (const name of ['one', 'two']) await trace(page, name);
      await expect.poll(up).toEqual(['one', 'two']);
      await expectBalanced(page);

      await open(page, site, destination);
      await trace(page, 'three');
      await expect.poll(up).toEqual(['one', 'three', 'two']);
      expect(await lagging()).toEqual([]);
      // What the page before had left is here.
      const at = (down === 'the bucket') === (order === 'bucket first') ? 0 : 1;
      await expect.poll(async () => (await spansOfStats(page))[at]?.waiting).toBe(3);
      await expectBalanced(page);

      collector.isDown = false;
      site.mock.faults.clear();
      await page.evaluate(() => globalThis.teed.flush());
      await expect.poll(lagging).toEqual(['one', 'three', 'two']);
      expect(await up()).toEqual(['one', 'three', 'two']);
      await expect.poll(async () => (await spansOfStats(page)).map(({ waiting }) => waiting)).toEqual([0, 0]);
      await expectBalanced(page);
    });
  }
}

test('tee: a destination that throws at every turn neither reaches the page nor keeps the bucket waiting', async ({
  page,
  site,
}) => {
  const throwing = `{ id: 'theirs', open: () => new Proxy({}, { get: () => () => { throw new Error('theirs'); } }) }`;
  await open(page, site, `tee(${throwing}, bucket({ endpoint: '/spandrel' }))`);
  for (const name of ['one', 'two']) await trace(page, name);
  await site.expectStored(['one', 'two']);
  expect(await page.evaluate(() => globalThis.teed.flush())).toBe('waiting');
  await expectBalanced(page);
  await trace(page, 'three');
  await page.goto(site.serve(plainPage()));
  await site.expectStored(['one', 'three', 'two']);
});
