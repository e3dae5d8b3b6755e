import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trace } from '@opentelemetry/api';
import { assertLedger, testClient } from './testing/client.js';
import { isExchange, isUpload } from './testing/cloud.js';
import { settle } from './testing/platform.js';
import { TraceBatchProcessor } from './trace-batch-processor.js';

const GARBAGE: [string, unknown][] = [
  ['undefined', undefined],
  ['an empty object', {}],
  ['a span without anything but a sampled context', { spanContext: () => ({ traceFlags: 1, traceId: 'x' }) }],
  ['a context that throws', { spanContext: () => assert.fail('planted') }],
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

test('processor: flush and shutdown keep their deadlines though a resource never comes', async () => {
  const { processor, platform } = testClient({ flushTimeoutMillis: 2_000, shutdownTimeoutMillis: 1_000 });
  const done: string[] = [];
  processor.onEnd({
    spanContext: () => ({ traceFlags: 1, traceId: 'x' }),
    resource: { waitForAsyncAttributes: () => new Promise(() => {}) },
  } as never);
  void processor.forceFlush().then(() => done.push('flush'));
  await platform.advance(2_000);
  await settle();
  assert.deepEqual(done, ['flush']);
  void processor.shutdown().then(() => done.push('shutdown'));
  await platform.advance(1_000);
  await settle();
  assert.deepEqual(done, ['flush', 'shutdown']);
  assert.deepEqual(processor.stats().spans.dropped, { shutdown: 1 });
});

test('processor: a flush that is under way when shutdown ends, or comes after it, resolves', async () => {
  const { processor, platform } = testClient({ flushTimeoutMillis: 600_000, shutdownTimeoutMillis: 1_000 });
  const done: string[] = [];
  processor.onEnd({
    spanContext: () => ({ traceFlags: 1, traceId: 'x' }),
    resource: { waitForAsyncAttributes: () => new Promise(() => {}) },
  } as never);
  void processor.forceFlush().then(() => done.push('before'));
  void processor.shutdown().then(() => done.push('shutdown'));
  await platform.advance(1_000);
  await settle();
  assert.deepEqual(done.sort(), ['before', 'shutdown']);
  void processor.forceFlush().then(() => done.push('after'));
  await settle();
  assert.equal(done.at(-1), 'after');
  assert.equal(platform.loose.timers, 0);
});

test('processor: as the page leaves, open spans end inner first, marked, and their upload begins in the same task', async () => {
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
  const before = platform.requests.filter(isUpload).length;
  platform.page('leaving');
  assert.deepEqual(ended, ['inner', 'outer', 'root']);
  assert.equal(platform.requests.filter(isUpload).length, before + 1);
  assert.equal(platform.requests.at(-1)?.init.keepalive, true);
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
  assert.equal(processor.stats().spans.created, created);
  assert.equal(processor.stats().state, 'shut-down');
  assert.equal(await processor.shutdown(), undefined);
});

test('processor: a burst over the cap drops whole traces, those with errors last, and counts them', async () => {
  const { processor, platform, cloud, startSpan, endTrace } = testClient({
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
  assert.equal((spans.dropped['buffer-full'] ?? 0) % 3, 0);
  cloud.serve();
  platform.page('visible');
  await processor.forceFlush();
  const { spanId } = failing.spanContext();
  assert.ok(cloud.spanIds().includes(spanId), 'the trace with an error was dropped');
});

test('processor: the exporter is asked for by name', () => {
  const { exporter } = testClient();
  // Another's, in either way of the SDK's; ours in the other way; nothing.
  const foreign = { export() {}, shutdown: async () => {} };
  for (const wrong of [foreign, { exporter: foreign }, { exporter }, {}, undefined, null]) {
    assert.throws(
      () => new TraceBatchProcessor(wrong as never),
      /TypeError: spandrel: option "exporter" takes a TraceExporter; others take BatchSpanProcessor/,
    );
  }
  assert.throws(() => new TraceBatchProcessor(exporter, { delay: 1 } as never), /has no option "delay"/);
});

test('processor: what a leaving page could not send is announced to nobody as stored', async () => {
  const { processor, platform, cloud, endTrace } = testClient();
  platform.onRequest = (request) => void (isExchange(request) && cloud.answer(request));
  platform.takesBeacons = false;
  endTrace();
  platform.page('leaving');
  await settle();
  assert.equal(cloud.receipts.length, 0);
  assertLedger(processor.stats(), 1);
});
