import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROOT_CONTEXT, SpanKind } from '@opentelemetry/api';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-web';
import { bucket } from './destinations/bucket.js';
import { EventSpans } from './events/event-spans.js';
import { handMadeUpload } from './testing/blobs.js';
import { assertLedger } from './testing/client.js';
import { testDestination } from './testing/destination.js';
import { testPlatform } from './testing/platform.js';
import { TraceBatchProcessor } from './trace-batch-processor.js';
import { TraceExporter } from './trace-exporter.js';

/** A page that traces every request of a destination's `send`, as none of them can be told from the page's own. */
function loop(requestNames: readonly string[] = ['POST'], delayMillis = 100) {
  const platform = testPlatform();
  const destination = testDestination('theirs');
  destination.outcome = async () => {
    for (const name of requestNames) {
      platform.after(delayMillis, () =>
        tracer.startSpan(name, { kind: SpanKind.CLIENT }, ROOT_CONTEXT).end(),
      );
    }
    return { status: 'stored' };
  };
  const exporter = new TraceExporter({ destination }, platform);
  const processor = new TraceBatchProcessor(exporter);
  const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer('page');
  const work = (name = 'work', attributes = {}): void =>
    tracer.startSpan(name, { attributes }, ROOT_CONTEXT).end();
  /** Lets as much time pass as there is, in steps that let compressors work. */
  const pass = async (millis: number): Promise<void> => {
    for (let passed = 0; passed < millis; passed += 1_000) {
      await platform.advance(1_000);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  return { platform, destination, exporter, processor, work, pass };
}

test('own functions: a page that is idle but for them falls silent', async () => {
  const { destination, exporter, work, pass } = loop(['POST', 'GET']);
  work();
  await pass(30_000);
  const { length } = destination.sends;
  assert.ok(length > 0 && length <= 3, String(length));
  await pass(120_000);
  assert.equal(destination.sends.length, length);
  assertLedger(exporter.stats());
});

test('own functions: what was held back goes with what comes next, and is counted meanwhile', async () => {
  const { destination, exporter, work, pass } = loop();
  work();
  await pass(60_000);
  const before = exporter.stats();
  assert.equal(before.spans.waiting, 1);
  assertLedger(before);
  work('something else');
  await pass(10_000);
  const names = destination.sends.flatMap(({ blob }) => blob.traces.map(({ rootName }) => rootName));
  assert.deepEqual(names, ['work', 'POST', 'POST', 'something else']);
  assertLedger(exporter.stats());
});

for (const [name, act] of [
  ['the page hides', ({ platform }) => platform.page('hidden')],
  ['somebody flushes', ({ processor }) => void processor.forceFlush()],
] as [string, (world: ReturnType<typeof loop>) => void][]) {
  test(`own functions: what was held back goes when ${name}`, async () => {
    const world = loop();
    world.work();
    await world.pass(30_000);
    assert.equal(world.exporter.stats().spans.waiting, 1);
    act(world);
    await world.pass(3_000);
    assert.equal(world.destination.sends.length, 3);
  });
}

test('own functions: an app that emits an event for each of its requests falls silent too', async () => {
  const { platform, destination, processor, pass } = loop([]);
  const spans = new EventSpans({ processor, service: 'app' });
  destination.outcome = async () => {
    platform.after(100, () => spans.handle('request.started'));
    platform.after(200, () => spans.handle('request.completed'));
    return { status: 'stored' };
  };
  spans.handle('work.started');
  spans.handle('work.completed');
  await pass(130_000);
  const { length } = destination.sends;
  assert.ok(length > 0 && length <= 3, String(length));
  await pass(130_000);
  assert.equal(destination.sends.length, length);
});

test('own functions: what a user does is sent however often it is done', async () => {
  const { destination, work, pass } = loop([]);
  for (let times = 0; times < 5; times++) {
    work('click button', { 'spandrel.activity.type': 'interaction' });
    await pass(7_000);
  }
  assert.equal(destination.sends.length, 5);
});

test('own functions: an app that does the same again and again is held up for a minute at most', async () => {
  const { destination, work, pass } = loop([]);
  for (let times = 0; times < 30; times++) {
    work('poll');
    await pass(10_000);
  }
  const stored = destination.sends.reduce((sum, { blob }) => sum + blob.spanCount, 0);
  assert.ok(stored >= 22 && destination.sends.length >= 4, `${stored} in ${destination.sends.length}`);
});

test('own functions: of a destination of ours without functions nothing is held back', async () => {
  const platform = testPlatform();
  const exporter = new TraceExporter(
    { destination: bucket({ endpoint: 'https://app.test/spandrel' }) },
    platform,
  );
  const processor = new TraceBatchProcessor(exporter);
  const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer('page');
  for (let times = 0; times < 3; times++) {
    tracer.startSpan('poll').end();
    await platform.advance(6_000);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.equal(exporter.stats().blobs.sealed, 3);
});

// F11 of the seed, as a page sees it.
test('own functions: a notify that fails stops no upload, and its receipts come until they are taken', async () => {
  const platform = testPlatform();
  let serial = 0;
  let asked = 0;
  let isBroken = true;
  const heard: string[] = [];
  const destination = bucket({
    // The first answer has none.
    requestUploads: async ({ want }) =>
      Array.from({ length: ++asked > 1 ? want : 0 }, () =>
        handMadeUpload({ key: `k${++serial}`, token: `t${serial}`, url: `https://bucket.test/${serial}` }),
      ),
    async notify(receipts) {
      if (isBroken) throw new Error('planted');
      heard.push(...receipts.map(({ key }) => key));
    },
  });
  platform.onRequest = (request) => request.answer({ status: 200 });
  const exporter = new TraceExporter({ destination }, platform);
  const processor = new TraceBatchProcessor(exporter, { scheduledDelayMillis: 0 });
  const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer('page');
  for (let count = 0; count < 20; count++) {
    tracer.startSpan(`work ${count}`).end();
    await platform.advance(1_000);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const { spans, requests, pool } = exporter.stats();
  assert.ok(spans.stored >= 19, JSON.stringify(spans));
  assert.ok(requests.notifyFailures >= 2, String(requests.notifyFailures));
  assert.deepEqual([requests.exchangeFailures, requests.notifies - requests.notifyFailures], [0, 0]);
  assert.ok(pool.empty >= 1, 'the first found none');
  isBroken = false;
  await processor.forceFlush();
  assert.equal(new Set(heard).size, 20);
  assert.equal(heard.length, 20, 'each once');
});
