import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-web';
import type { Outcome, TraceBlob } from './pipeline/model.js';
import { assertLedger, testClient } from './testing/client.js';
import { isUpload } from './testing/cloud.js';
import { handMade } from './testing/encoding.js';
import { settle, testPlatform } from './testing/platform.js';
import { type ExportResult, TraceExporter } from './trace-exporter.js';

async function exported(exporter: TraceExporter, spans: unknown): Promise<ExportResult> {
  return new Promise((resolve) => exporter.export(spans as never, resolve));
}

test('exporter: behind the stock batch processor, spans become one group per trace', async () => {
  const { exporter, cloud } = testClient({ served: true });
  const batch = new BatchSpanProcessor(exporter);
  const tracer = new BasicTracerProvider({ spanProcessors: [batch] }).getTracer('tests');
  for (let count = 0; count < 3; count++) tracer.startSpan('root').end();
  await batch.forceFlush();
  await exporter.forceFlush();
  assert.equal(cloud.spanIds().length, 3);
  assert.equal(cloud.receipts[0]?.traces.length, 3);
  assertLedger(exporter.stats(), 3);
  await batch.shutdown();
});

test('exporter: success means that the spans are in the outbox, though the bucket is down', async () => {
  const { exporter } = testClient();
  assert.deepEqual(await exported(exporter, [handMade()]), { code: 0 });
  assert.equal(exporter.stats().blobs.waiting, 1);
});

test('exporter: garbage among the spans is counted, is a failure, and costs no other span', async () => {
  const { exporter, cloud } = testClient({ served: true });
  const throwing = { spanContext: () => assert.fail('planted') };
  const result = await exported(exporter, [undefined, {}, throwing, handMade()]);
  assert.equal(result.code, 1);
  assert.match(String(result.error), /spans were lost/);
  assertLedger(exporter.stats(), 4);
  assert.deepEqual(exporter.stats().spans.dropped, { unencodable: 3 });
  await exporter.flush();
  assert.equal(cloud.spanIds().length, 1);
});

for (const nothing of [undefined, null, {}, 7]) {
  test(`exporter: ${nothing} in place of spans is a failure, and the ledger stays`, async () => {
    const { exporter } = testClient();
    assert.equal((await exported(exporter, nothing)).code, 1);
    assertLedger(exporter.stats(), 0);
  });
}

test('exporter: a callback that throws is caught and counted', async () => {
  const { exporter } = testClient();
  exporter.export([handMade()], () => assert.fail('planted'));
  await settle();
  assert.equal(exporter.stats().exceptions, 1);
});

test('exporter: flush says what became of everything', async () => {
  const { exporter, platform, cloud } = testClient({ flushTimeoutMillis: 1_000 });
  assert.equal(await exporter.flush(), 'stored', 'of nothing');
  await exported(exporter, [handMade()]);
  const late = exporter.flush();
  await platform.advance(1_000);
  assert.equal(await late, 'waiting');
  cloud.serve();
  await settle();
  assert.equal(await exporter.flush(), 'stored');
  platform.onRequest = (request) => void cloud.answer(request, isUpload(request) ? 'refused' : 'done');
  void exported(exporter, [handMade({ name: 'other' })]);
  assert.equal(await exporter.flush(), 'lost');
  assert.deepEqual(exporter.stats().spans.dropped, { rejected: 1 });
});

test('exporter: flush waits for the renewal of an expired URL, however slow', async () => {
  const { exporter, platform, cloud } = testClient();
  let uploads = 0;
  platform.onRequest = (request) => {
    const refused = isUpload(request) && uploads++ === 0;
    platform.after(700, () => void cloud.answer(request, refused ? 'forbidden' : 'done'));
  };
  await exported(exporter, [handMade()]);
  const flushed = exporter.flush();
  await platform.advance(20_000);
  assert.equal(await flushed, 'stored');
});

test('exporter: after shutdown spans are refused and counted', async () => {
  const { exporter, platform } = testClient({ served: true });
  await exporter.shutdown();
  assert.equal((await exported(exporter, [handMade()])).code, 1);
  assert.deepEqual(exporter.stats().spans.dropped, { shutdown: 1 });
  assertLedger(exporter.stats(), 1);
  assert.deepEqual(platform.loose, { timers: 0, listeners: 0 });
});

test('exporter: subscribers hear of changes, and a subscriber that throws is counted', async () => {
  const { exporter, platform } = testClient({ served: true });
  const heard: number[] = [];
  exporter.subscribe(() => assert.fail('planted'));
  const stop = exporter.subscribe((stats) => void heard.push(stats.spans.stored));
  await exported(exporter, [handMade()]);
  await platform.advance(200);
  assert.equal(heard.at(-1), 1);
  stop();
  const { length } = heard;
  await exported(exporter, [handMade({ name: 'other' })]);
  await platform.advance(200);
  assert.equal(heard.length, length);
  assert.ok(exporter.stats().exceptions > 0);
});

/** A destination of somebody else's making. */
function foreign(send: (blob: TraceBlob) => Promise<Outcome>) {
  return {
    open: () => ({ warmUp() {}, ready: () => true, send, leave() {}, async settle() {}, close() {} }),
  };
}

test('exporter: a destination that rejects is a failed attempt, tried again', async () => {
  const platform = testPlatform();
  let attempts = 0;
  const destination = foreign(async () => {
    if (attempts++ === 0) throw new Error('planted');
    return { status: 'stored' };
  });
  const exporter = new TraceExporter({ destination }, platform);
  await exported(exporter, [handMade()]);
  await platform.advance(2_000);
  assert.equal(exporter.stats().spans.stored, 1);
  assertLedger(exporter.stats(), 1);
});

test('exporter: the destination is asked for by name', () => {
  assert.throws(
    () => new TraceExporter({} as never),
    /option "destination" takes a destination such as bucket/,
  );
  assert.throws(() => new TraceExporter(undefined as never), /TraceExporter takes an object of options/);
  const destination = foreign(async () => ({ status: 'stored' }));
  assert.throws(() => new TraceExporter({ destination, url: 'x' } as never), /has no option "url"/);
});
