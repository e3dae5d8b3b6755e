import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-web';
import { leavingBucket as bucket } from './bucket/leaving.js';
import * as latePage from './late-page.js';
import { PageExporter } from './page-exporter.js';
import type { LateFile } from './spa/late.js';
import { assertLedger, testClient } from './testing/client.js';
import { ENDPOINT, isExchange, isRelay, isUpload, testCloud } from './testing/cloud.js';
import { testOrigin } from './testing/origin.js';
import { settle, testPlatform } from './testing/platform.js';
import { TraceBatchProcessor } from './trace-batch-processor.js';

/** A page whose second file is what `load` says. */
function page(load: () => Promise<LateFile>, origin = testOrigin()) {
  const platform = testPlatform({ origin, nowMillis: 1_790_000_000_000, seed: 7 });
  const cloud = testCloud(platform);
  const exporter = new PageExporter({ destination: bucket({ endpoint: ENDPOINT }) }, platform, { load });
  const processor = new TraceBatchProcessor(exporter, { scheduledDelayMillis: 0 });
  const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer('tests');
  return { ...{ origin, platform, cloud, exporter, processor }, end: () => tracer.startSpan('a').end() };
}

const kinds = ({ exporter }: { exporter: PageExporter }): string[] =>
  exporter.stats().errors.map(({ kind }) => kind);

test('second file: asked for once more when it does not come; then the relay has it all, and says what it has', async () => {
  let asked = 0;
  const client = page(async () => {
    asked++;
    throw new Error('planted');
  });
  const { platform, cloud, exporter, end } = client;
  cloud.serve();
  end();
  await platform.advance(20_000);
  assert.equal(asked, 2);
  assert.deepEqual(kinds(client), ['late-file']);
  assert.equal(cloud.spanIds().length, 1);
  assert.deepEqual(platform.requests.filter(isUpload), []);
  assert.equal(exporter.stats().spans.stored, 1);
  end();
  const flushed = exporter.flush();
  await platform.advance(1_000);
  assert.equal(await flushed, 'stored');
  assertLedger(exporter.stats(), 2);
  const ended = exporter.shutdown();
  await platform.advance(1_000);
  await ended;
  assert.deepEqual(platform.loose, { timers: 0, listeners: 0 });
});

test('second file: without it what the relay has stored is told as the page leaves', async () => {
  const { platform, cloud, end } = page(() => Promise.reject(new Error('planted')));
  cloud.serve();
  end();
  await platform.advance(20_000);
  assert.equal(cloud.spanIds().length, 1);
  platform.page('leaving');
  for (const beacon of platform.beacons) await cloud.arrive(beacon);
  // Once as it is hidden and once as it is left, perhaps: nobody hears what a beacon is answered.
  const told = new Map(cloud.receipts.map(({ id, spanCount }) => [id, spanCount]));
  assert.deepEqual([...told], [[[...cloud.objects.keys()][0], 1]]);
});

test('second file: without it a relay that fails is asked again, and nothing is lost or stored twice', async () => {
  const { platform, cloud, exporter, end } = page(() => Promise.reject(new Error('planted')));
  end();
  await platform.advance(5_000);
  const [first] = platform.pending.filter(isRelay);
  assert.ok(first);
  first.answer({ status: 503 });
  await settle();
  assert.equal(exporter.stats().spans.waiting, 1);
  cloud.serve();
  await platform.advance(60_000);
  assert.equal(cloud.spanIds().length, 1);
  assertLedger(exporter.stats(), 1);
  assert.equal(exporter.stats().spans.stored, 1);
});

test('second file: a page that is left before it comes has its spans stored once, whoever finds what it wrote', async () => {
  const { platform, cloud, origin, exporter, end } = page(() => new Promise(() => {}));
  end();
  await platform.advance(2_000);
  end();
  assert.deepEqual(platform.requests.filter(isExchange), []);
  platform.page('leaving');
  assertLedger(exporter.stats(), 2);
  for (const beacon of platform.beacons) await cloud.arrive(beacon);
  assert.equal(cloud.spanIds().length, 2);
  platform.crash();
  const next = testClient({ origin, seed: 50, cloud, served: true, nowMillis: platform.now() + 1_000 });
  await next.platform.advance(200_000);
  assert.equal(cloud.spanIds().length, 2);
  assert.equal(next.exporter.stats().spans.adopted, 2);
  assertLedger(next.exporter.stats());
});

test('second file: whoever flushes asks for it at once and waits for it, no longer than for the flush', async () => {
  let come = (): void => {};
  const { platform, cloud, exporter, end } = page(
    () =>
      new Promise((resolve) => {
        come = () => resolve(latePage);
      }),
  );
  cloud.serve();
  end();
  const early = exporter.flush();
  await platform.advance(40_000);
  assert.equal(await early, 'waiting');
  const flushed = exporter.flush();
  come();
  await platform.advance(1_000);
  assert.equal(await flushed, 'stored');
  assert.equal(platform.requests.filter(isRelay).length, 0);
  assertLedger(exporter.stats(), 1);
});
