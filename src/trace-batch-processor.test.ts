import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trace } from '@opentelemetry/api';
import { assertLedger, testClient } from './testing/client.js';
import { isExchange, isRelay, isUpload } from './testing/cloud.js';
import type { TestBeacon } from './testing/platform.js';
import { settle, until } from './testing/platform.js';
import { TraceBatchProcessor } from './trace-batch-processor.js';

const GARBAGE: [string, unknown][] = [
  ['undefined', undefined],
  ['an empty object', {}],
  ['a span without anything but a sampled context', { spanContext: () => ({ traceFlags: 1, traceId: 'x' }) }],
  ['a context that throws', { spanContext: () => assert.fail('planted') }],
  ['a trace id that is no text', { spanContext: () => ({ traceFlags: 1, traceId: { a: 1 } }) }],
];
for (const [name, span] of GARBAGE) {
  test(`processor: ${name} costs nobody else a span, and nothing is thrown`, async () => {
    const { processor, platform, endTrace } = testClient({ scheduledDelayMillis: 0, served: true });
    processor.onStart(span as never);
    processor.onEnd(span as never);
    endTrace();
    await platform.advance(1_000);
    const { spans } = processor.stats();
    assertLedger(processor.stats());
    assert.equal(spans.stored, 1);
    assert.equal(spans.dropped.unencodable ?? 0, spans.created - 1);
    assert.deepEqual([...platform.exceptions], []);
  });
}

test('processor: a span that is not sampled is ignored', () => {
  const { processor } = testClient();
  const span = trace.wrapSpanContext({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 0 });
  processor.onStart(span as never);
  processor.onEnd(span as never);
  assert.equal(processor.stats().spans.created, 0);
  assert.equal(processor.stats().buffer.open, 0);
});

test('processor: flush and shutdown keep their deadlines, each with its own, though a resource never comes', async () => {
  const { processor, platform, startSpan } = testClient({
    flushTimeoutMillis: 2_000,
    shutdownTimeoutMillis: 1_000,
  });
  const done: string[] = [];
  const span = startSpan();
  Object.assign(span, {
    resource: {
      attributes: {},
      asyncAttributesPending: true,
      waitForAsyncAttributes: () => new Promise(() => {}),
    },
  });
  span.end();
  void processor.forceFlush().then(() => done.push('flush'));
  await platform.advance(2_000);
  assert.deepEqual(done, ['flush']);
  void processor.shutdown().then(() => done.push('shutdown'));
  await platform.advance(1_000);
  assert.deepEqual(done, ['flush', 'shutdown']);
  assert.deepEqual(processor.stats().spans.dropped, { shutdown: 1 });
  assertLedger(processor.stats(), 1);
});

test('processor: a flush that is under way when shutdown ends, or comes after it, resolves', async () => {
  const { processor, platform, endTrace } = testClient({
    flushTimeoutMillis: 600_000,
    shutdownTimeoutMillis: 1_000,
  });
  const done: string[] = [];
  endTrace();
  void processor.forceFlush().then(() => done.push('before'));
  await platform.advance(100);
  void processor.shutdown().then(() => done.push('shutdown'));
  await platform.advance(1_000);
  assert.deepEqual(done.sort(), ['before', 'shutdown']);
  void processor.forceFlush().then(() => done.push('after'));
  await settle();
  assert.equal(done.at(-1), 'after');
  assert.equal(platform.loose.timers, 0);
});

test('processor: what a resource says later is with the spans that ended before', async () => {
  for (const fails of [false, true]) {
    const { processor, platform, cloud, startSpan } = testClient({ served: true });
    const late = deferred();
    const resource = {
      attributes: {} as Record<string, string>,
      asyncAttributesPending: true,
      waitForAsyncAttributes: () => late.promise,
    };
    const span = startSpan();
    Object.assign(span, { resource });
    span.end();
    await platform.advance(400);
    assert.equal(cloud.objects.size, 0);
    Object.assign(resource, { attributes: { 'app.build': 'b7' }, asyncAttributesPending: false });
    if (fails) late.reject(new Error('planted'));
    else late.resolve();
    await platform.advance(2_000);
    await until(() => cloud.objects.size > 0);
    assert.match(cloud.texts().join(), /"app.build"/);
    assert.equal(processor.stats().exceptions, 0);
    assertLedger(processor.stats(), 1);
  }
});

function deferred(): { promise: Promise<void>; resolve(): void; reject(error: Error): void } {
  const parts = {} as { resolve(): void; reject(error: Error): void };
  const promise = new Promise<void>((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return { promise, ...parts };
}

test('processor: as the page leaves, open spans end inner first, marked, and go in the same task', async () => {
  const { processor, platform, cloud, startSpan, endTrace } = testClient({ served: true });
  endTrace();
  await processor.forceFlush();
  const ended: string[] = [];
  const onEnd = processor.onEnd.bind(processor);
  processor.onEnd = (span) => {
    ended.push(span.name);
    assert.equal(span.attributes['spandrel.interrupted'], true);
    onEnd(span);
  };
  const root = startSpan('root');
  startSpan('inner', startSpan('outer', root));
  platform.page('leaving');
  assert.deepEqual(ended, ['inner', 'outer', 'root']);
  assert.equal(platform.beacons.filter(isRelay).length, 1);
  await settle();
  assert.equal(cloud.spanIds().length, 4);
});

test('processor: a span that throws at its end does not keep the others on the leaving page', () => {
  const { processor, platform, startSpan } = testClient();
  startSpan('first');
  startSpan('second').end = () => assert.fail('another processor');
  startSpan('third');
  platform.page('leaving');
  const { spans, buffer, exceptions } = processor.stats();
  assert.equal(spans.created, 2);
  assert.equal(buffer.spans, 0);
  assert.equal(exceptions, 1);
});

test('processor: hidden sends what has ended and leaves open what is open', async () => {
  const { processor, platform, cloud, startSpan } = testClient({ served: true });
  const root = startSpan('root');
  startSpan('child', root).end();
  platform.page('hidden');
  await settle();
  assert.equal(cloud.spanIds().length, 1);
  assert.equal(processor.stats().buffer.open, 1);
  root.end();
  await platform.advance(10_000);
  assert.equal(cloud.spanIds().length, 2);
});

test('processor: shutdown leaves no timer, no listener, and takes no span after it', async () => {
  const { processor, platform, startSpan, endTrace } = testClient({ served: true });
  startSpan('open');
  endTrace();
  await processor.shutdown();
  assert.deepEqual(platform.loose, { timers: 0, listeners: 0 });
  const { created } = processor.stats().spans;
  endTrace();
  platform.page('leaving');
  assertLedger(processor.stats());
  assert.equal(processor.stats().spans.created - created, processor.stats().spans.dropped.shutdown ?? 0);
  assert.equal(processor.stats().state, 'shut-down');
  assert.equal(await processor.shutdown(), undefined);
});

test('processor: a burst over the cap drops whole traces, those with errors last, and counts them', async () => {
  const { processor, cloud, startSpan, endTrace } = testClient({
    maxBufferedSpans: 512,
    scheduledDelayMillis: 60_000,
  });
  const failing = startSpan('failing');
  startSpan('child', failing).end();
  failing.setStatus({ code: 2 }).end();
  for (let traces = 0; traces < 200; traces++) endTrace(3);
  const { spans, buffer } = processor.stats();
  assertLedger(processor.stats(), 602);
  assert.ok(buffer.spans <= 512, `${buffer.spans} spans are held`);
  assert.ok((spans.dropped['buffer-full'] ?? 0) > 0);
  assert.equal((spans.dropped['buffer-full'] ?? 0) % 3, 0);
  cloud.serve();
  await processor.forceFlush();
  assert.ok(cloud.spanIds().includes(failing.spanContext().spanId), 'the trace with an error was dropped');
});

test('processor: the exporter is asked for by name', () => {
  const { exporter } = testClient();
  // Another's, in either way of the SDK's; ours in the other way; nothing.
  const foreign = { export() {}, shutdown: async () => {} };
  for (const wrong of [foreign, { exporter: foreign }, { exporter }, {}, undefined, null]) {
    assert.throws(
      () => new TraceBatchProcessor(wrong as never),
      /TypeError: spandrel: option "exporter" takes a TraceExporter/,
    );
  }
  assert.throws(() => new TraceBatchProcessor(exporter, { delay: 1 } as never), /has no option "delay"/);
});

test('processor: what a leaving page could not send is announced to nobody as stored', async () => {
  const { processor, platform, cloud, endTrace } = testClient({ relay: 'never' });
  platform.onRequest = (request) => void (isExchange(request) && cloud.answer(request));
  platform.onBeacon = (beacon) => void cloud.arrive(beacon);
  endTrace();
  platform.page('leaving');
  await settle();
  assert.equal(cloud.receipts.length, 0);
  assertLedger(processor.stats(), 1);
});

test('processor: what went out with the page is announced once, as unconfirmed', async () => {
  const { platform, cloud, endTrace } = testClient();
  platform.onBeacon = (beacon: TestBeacon) => void cloud.arrive(beacon);
  endTrace();
  platform.page('hidden');
  platform.page('leaving');
  await settle();
  assert.deepEqual(
    cloud.receipts.map(({ unconfirmed, traces }) => [unconfirmed, traces.length]),
    [[true, 1]],
  );
});

test('processor: two processors of one exporter leave together', async () => {
  const first = testClient({ served: true });
  const second = new TraceBatchProcessor(first.exporter);
  const span = first.startSpan();
  first.endTrace();
  second.onEnd(span as never);
  first.platform.page('leaving');
  await settle();
  assertLedger(first.exporter.stats(), 2);
  assert.equal(first.cloud.spanIds().length, 2, 'what one was told of ended for both');
});

test('processor: a trace whose child is open waits for it, for half a minute at most, and a late span makes a further part', async () => {
  const { platform, cloud, startSpan } = testClient({ served: true, scheduledDelayMillis: 0 });
  const root = startSpan('root');
  const child = startSpan('child', root);
  root.end();
  await platform.advance(29_000);
  assert.equal(cloud.spanIds().length, 0);
  await platform.advance(2_000);
  assert.equal(cloud.spanIds().length, 1);
  child.end();
  await platform.advance(31_000);
  assert.equal(cloud.spanIds().length, 2);
  assert.equal(cloud.objects.size, 2);
});

test('processor: a complete trace waits for children that come half a second late, and then for company', async () => {
  const { platform, cloud, startSpan, endTrace } = testClient({ served: true, scheduledDelayMillis: 5_000 });
  endTrace();
  await platform.advance(2_000);
  assert.equal(cloud.objects.size, 1, 'the first one of a page goes soon');
  const root = startSpan('root');
  root.end();
  await platform.advance(400);
  startSpan('late', root).end();
  await platform.advance(3_000);
  endTrace();
  assert.equal(cloud.objects.size, 1);
  await platform.advance(3_000);
  assert.equal(cloud.objects.size, 2);
  assert.equal(cloud.spanIds().length, 4);
});

test('processor: a span that nobody ends is forgotten after half an hour, and leaves no timer', async () => {
  const { platform, processor, startSpan } = testClient({ served: true });
  startSpan('stale');
  await platform.advance(29 * 60_000);
  assert.equal(processor.stats().buffer.open, 1);
  await platform.advance(2 * 60_000);
  assert.equal(processor.stats().buffer.open, 0);
  assert.equal(platform.loose.timers, 0);
});

test('processor: open spans are watched up to 5,000, and sent all the same beyond', async () => {
  const { processor, cloud, startSpan } = testClient({ served: true, maxBufferedSpans: 100_000 });
  const root = startSpan('root');
  const spans = Array.from({ length: 6_000 }, () => startSpan('child', root));
  assert.equal(processor.stats().buffer.open, 5_000);
  for (const span of spans) span.end();
  root.end();
  await processor.forceFlush();
  assert.equal(processor.stats().buffer.open, 0);
  assert.equal(new Set(cloud.spanIds()).size, 6_001);
});

test('processor: a discarded span leaves nothing, and what ended with it goes on its way', async () => {
  const { processor, platform, exporter, cloud, startSpan, endTrace } = testClient({ served: true });
  const span = startSpan('discarded');
  endTrace();
  exporter.pipeline.discard(span as never);
  assert.equal(processor.stats().buffer.open, 0);
  await platform.advance(2_000);
  assert.equal(cloud.spanIds().length, 1);
});

test('processor: on a hidden page further spans go without waiting for company', async () => {
  const { processor, platform, cloud, endTrace } = testClient({ served: true, scheduledDelayMillis: 0 });
  endTrace();
  await platform.advance(1_000);
  platform.page('hidden');
  endTrace();
  await platform.advance(600);
  assert.equal(cloud.spanIds().length, 2);
  assertLedger(processor.stats(), 2);
});

for (const signal of ['hidden', 'cached', 'leaving'] as const) {
  test(`processor: on ${signal} all that ended goes before the listener returns, each with our share of the keepalive bytes`, () => {
    const { processor, platform, endTrace } = testClient({ maxTracesPerBlob: 1 });
    for (let traces = 0; traces < 4; traces++) endTrace();
    platform.page(signal);
    assert.equal(platform.beacons.filter(isRelay).length, 4);
    assert.ok(platform.keepalive.freeBytes > 0);
    assert.equal(platform.requests.filter(isUpload).length, 0);
    assertLedger(processor.stats(), 4);
  });
}
