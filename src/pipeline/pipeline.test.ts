import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-web';
import type { Destination } from '../destinations/destination.js';
import { assertLedger, testClient } from '../testing/client.js';
import { isExchange, isUpload } from '../testing/cloud.js';
import { settle, testPlatform } from '../testing/platform.js';
import { TraceBatchProcessor } from '../trace-batch-processor.js';
import { TraceExporter } from '../trace-exporter.js';
import type { DropReason, Outcome } from './model.js';

type Loss = (limits?: never) => Promise<Partial<Record<DropReason, number>>>;

/** One way to each loss; the type asks for a new one with each new reason. */
const LOSSES: Record<DropReason, Loss> = {
  async 'buffer-full'() {
    const { processor, endTrace } = testClient({ maxBufferedSpans: 512, scheduledDelayMillis: 60_000 });
    for (let traces = 0; traces < 513; traces++) endTrace();
    return processor.stats().spans.dropped;
  },
  async 'outbox-full'() {
    const { processor, endTrace, platform } = testClient({ maxOutboxBlobs: 1, maxTracesPerBlob: 1 });
    endTrace();
    endTrace();
    await platform.advance(10_000);
    return processor.stats().spans.dropped;
  },
  async 'too-old'() {
    const { processor, endTrace, platform, cloud } = testClient({ maxOutboxAgeMillis: 60_000 });
    platform.onRequest = (request) => void cloud.answer(request, 'overloaded');
    endTrace();
    await platform.advance(300_000);
    return processor.stats().spans.dropped;
  },
  async unencodable() {
    const { processor, platform } = testClient({ scheduledDelayMillis: 0 });
    processor.onEnd({ spanContext: () => ({ traceId: 'x', spanId: 'y', traceFlags: 1 }) } as never);
    await platform.advance(1_000);
    return processor.stats().spans.dropped;
  },
  async 'too-large'() {
    const { processor, startSpan, platform } = testClient({ scheduledDelayMillis: 0 });
    startSpan('x'.repeat(1_100_000)).end();
    await platform.advance(1_000);
    return processor.stats().spans.dropped;
  },
  async redacted() {
    const { processor, endTrace, platform } = testClient({
      scheduledDelayMillis: 0,
      redact: ({ name }) => name !== 'child',
    });
    endTrace(2);
    await platform.advance(1_000);
    return processor.stats().spans.dropped;
  },
  async consent() {
    const { processor, exporter, endTrace } = testClient({ consent: 'pending' });
    endTrace();
    exporter.setConsent('denied');
    return processor.stats().spans.dropped;
  },
  async rejected() {
    const { processor, platform, cloud, endTrace } = testClient({ scheduledDelayMillis: 0 });
    platform.onRequest = (request) => void cloud.answer(request, isUpload(request) ? 'refused' : 'done');
    endTrace();
    await platform.advance(1_000);
    return processor.stats().spans.dropped;
  },
  async paused() {
    const { processor, platform, cloud, endTrace } = testClient({ scheduledDelayMillis: 0 });
    cloud.paused = true;
    cloud.serve();
    endTrace();
    await platform.advance(1_000);
    return processor.stats().spans.dropped;
  },
  async shutdown() {
    const { processor, platform, endTrace } = testClient({ shutdownTimeoutMillis: 1_000 });
    endTrace();
    const ended = processor.shutdown();
    await platform.advance(1_000);
    await ended;
    return processor.stats().spans.dropped;
  },
};

for (const [reason, lose] of Object.entries(LOSSES)) {
  test(`pipeline: a loss by ${reason} is counted under that name alone`, async () => {
    const dropped = await lose();
    assert.deepEqual(Object.keys(dropped), [reason]);
    assert.ok((dropped[reason as DropReason] ?? 0) > 0);
  });
}

/** A destination that answers with this outcome. */
const answering = (outcome: Outcome): Destination => ({
  open: () => ({
    ...{ warmUp() {}, leave() {}, close() {}, ready: () => true },
    send: async () => outcome,
    async settle() {},
  }),
});

for (const [said, stored, rejected] of [
  [2, 3, 2],
  [5, 0, 5],
  [6, 0, 5],
  [0, 5, undefined],
  [-1, 5, undefined],
  [Number.NaN, 5, undefined],
] as const) {
  test(`pipeline: of 5 spans the other side rejects ${said}`, async () => {
    const platform = testPlatform();
    const destination = answering({ status: 'stored', rejected: { spanCount: said, cause: 'no room' } });
    const exporter = new TraceExporter({ destination }, platform);
    const processor = new TraceBatchProcessor(exporter);
    const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer('tests');
    for (let spans = 0; spans < 5; spans++) tracer.startSpan('work').end();
    await platform.advance(10_000);
    const stats = processor.stats();
    assert.equal(stats.spans.stored, stored);
    assert.equal(stats.spans.dropped.rejected, rejected);
    assert.equal(stats.errors.find(({ kind }) => kind === 'rejected')?.message, rejected && 'no room');
    assertLedger(stats, 5);
  });
}

test('pipeline: a blob that was evicted while it was under way counts once, whatever its answer', async () => {
  for (const status of [200, 400, 503]) {
    const { processor, platform, cloud, endTrace } = testClient({
      maxOutboxBlobs: 1,
      scheduledDelayMillis: 0,
    });
    platform.onRequest = (request) => void (isExchange(request) && cloud.answer(request));
    endTrace();
    await platform.advance(1_000);
    const underWay = platform.pending.find(isUpload);
    endTrace();
    await platform.advance(1_000);
    underWay?.answer({ status });
    await settle();
    assertLedger(processor.stats(), 2);
    assert.deepEqual(processor.stats().spans.dropped, { 'outbox-full': 1 });
  }
});

test('pipeline: losses reach the server with the next request', async () => {
  const { processor, platform, cloud, endTrace } = testClient({ maxOutboxBlobs: 1, maxTracesPerBlob: 1 });
  for (let traces = 0; traces < 3; traces++) endTrace();
  await platform.advance(10_000);
  cloud.serve();
  await settle();
  endTrace();
  await platform.advance(20_000);
  assertLedger(processor.stats(), 4);
  assert.deepEqual(cloud.lost, processor.stats().spans.dropped);
});

for (const signal of ['hidden', 'cached', 'leaving'] as const) {
  test(`pipeline: on ${signal} every request is begun before the listener returns`, async () => {
    const { processor, platform, cloud, endTrace } = testClient({ maxTracesPerBlob: 1 });
    platform.onRequest = (request) => void (isExchange(request) && cloud.answer(request));
    endTrace();
    await platform.advance(10_000);
    platform.pending.filter(isUpload)[0]?.answer({ status: 200 });
    await settle();
    for (let traces = 0; traces < 4; traces++) endTrace();
    platform.page(signal);
    // No turn of the loop between: the reserve and what is left are used, the rest goes by beacon.
    const { length } = platform.pending.filter(isUpload);
    const relayed = platform.beacons.filter(({ url }) => url.includes('relay='));
    assert.equal(length + relayed.length, 4);
    assert.ok(length >= 2, `${length} uploads`);
    for (const request of platform.pending.filter(isUpload)) assert.equal(request.init.keepalive, true);
    assertLedger(processor.stats(), 5);
  });
}

test('pipeline: on a hidden page further spans go at once, without waiting for timers', async () => {
  const { processor, platform, cloud, endTrace } = testClient({ served: true, scheduledDelayMillis: 0 });
  endTrace();
  await platform.advance(1_000);
  platform.page('hidden');
  endTrace();
  await platform.advance(600);
  assert.equal(cloud.spanIds().length, 2);
  assertLedger(processor.stats(), 2);
});

test('pipeline: looking at the stats changes nothing: what has become too old still waits', async () => {
  const { processor, platform, endTrace } = testClient({ maxOutboxAgeMillis: 60_000 });
  endTrace();
  await platform.advance(10_000);
  platform.jump(120_000);
  assertLedger(processor.stats(), 1);
  assertLedger(processor.stats(), 1);
});

test('pipeline: two processors of one exporter leave together', async () => {
  const first = testClient({ served: true });
  const { TraceBatchProcessor } = await import('../trace-batch-processor.js');
  const second = new TraceBatchProcessor(first.exporter);
  const span = first.startSpan();
  first.endTrace();
  second.onEnd(span as never);
  first.platform.page('leaving');
  await settle();
  assertLedger(first.exporter.stats(), 3);
  assert.equal(first.cloud.spanIds().length, 3);
});

test('pipeline: a drain that throws is counted, and the page is sent all the same', async () => {
  const { exporter, platform, cloud, endTrace } = testClient({ served: true });
  exporter.pipeline.beforeSend(() => assert.fail('planted'));
  endTrace();
  platform.page('leaving');
  await settle();
  assert.equal(exporter.stats().exceptions, 1);
  assert.equal(cloud.spanIds().length, 1);
});

test('pipeline: flush ends at its deadline, and what it began goes on', async () => {
  const { exporter, processor, platform, cloud, endTrace } = testClient({ flushTimeoutMillis: 500 });
  endTrace();
  const flushed = processor.forceFlush();
  await platform.advance(500);
  await flushed;
  assert.equal(exporter.stats().spans.waiting, 1);
  cloud.serve();
  await settle();
  await platform.advance(1_000);
  assert.equal(exporter.stats().spans.stored, 1);
});

test('pipeline: when the network returns, what waits goes at once', async () => {
  const { exporter, platform, cloud, endTrace } = testClient({ scheduledDelayMillis: 0 });
  platform.onRequest = (request) => void cloud.answer(request, 'lost-before');
  endTrace();
  await platform.advance(300_000);
  cloud.serve();
  platform.online();
  await settle();
  assert.equal(exporter.stats().spans.stored, 1);
});

test('pipeline: shutdown waits for uploads within its deadline, and tells the server of losses', async () => {
  const { processor, platform, cloud, endTrace } = testClient({ shutdownTimeoutMillis: 1_000 });
  platform.onBeacon = (beacon) => void cloud.arrive(beacon);
  endTrace();
  const ended = processor.shutdown();
  await platform.advance(1_000);
  await ended;
  await settle();
  assert.deepEqual(cloud.lost, { shutdown: 1 });
  assertLedger(processor.stats(), 1);
});
