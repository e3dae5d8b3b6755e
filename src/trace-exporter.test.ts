import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-web';
import type { Destination } from './destinations/destination.js';
import { Exporter } from './exporter.js';
import { openDelivery } from './late.js';
import type { Outcome, TraceBlob } from './pipeline/model.js';
import { assertLedger, testClient } from './testing/client.js';
import { isUpload } from './testing/cloud.js';
import { handMade } from './testing/encoding.js';
import { testOrigin } from './testing/origin.js';
import { settle, testPlatform, until } from './testing/platform.js';
import { TraceBatchProcessor } from './trace-batch-processor.js';
import { type ExportResult, TraceExporter } from './trace-exporter.js';

async function exported(exporter: TraceExporter, spans: unknown): Promise<ExportResult> {
  return new Promise((resolve) => exporter.export(spans as never, resolve));
}

test('exporter: behind the stock batch processor, spans are stored, and the server hears of each trace', async () => {
  const { exporter, cloud } = testClient({ served: true });
  const batch = new BatchSpanProcessor(exporter);
  const tracer = new BasicTracerProvider({ spanProcessors: [batch] }).getTracer('tests');
  for (let count = 0; count < 3; count++) tracer.startSpan('root').end();
  await batch.forceFlush();
  await exporter.forceFlush();
  assert.equal(cloud.spanIds().length, 3);
  assert.equal(cloud.receipts.flatMap(({ traces }) => traces).length, 3);
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

test('exporter: flush waits for the permission in place of an expired one, however slow', async () => {
  const { exporter, platform, cloud } = testClient();
  let uploads = 0;
  platform.onRequest = (request) => {
    const isRefused = isUpload(request) && uploads++ === 0;
    platform.after(700, () => void cloud.answer(request, isRefused ? 'forbidden' : 'done'));
  };
  await exported(exporter, [handMade()]);
  const flushed = exporter.flush();
  await platform.advance(20_000);
  assert.equal(await flushed, 'stored');
  assert.equal(uploads, 2);
});

test('exporter: after shutdown spans are refused and counted', async () => {
  const { exporter, platform } = testClient({ served: true });
  await exporter.shutdown();
  assert.equal((await exported(exporter, [handMade()])).code, 1);
  assert.deepEqual(exporter.stats().spans.dropped, { shutdown: 1 });
  assertLedger(exporter.stats(), 1);
  assert.deepEqual(platform.loose, { timers: 0, listeners: 0 });
});

test('exporter: spans that come while consent is denied are no failure, and nothing is counted', async () => {
  const { exporter } = testClient({ consent: 'denied' });
  assert.equal((await exported(exporter, [handMade()])).code, 0);
  assertLedger(exporter.stats(), 0);
});

test('exporter: subscribers hear of changes until they leave, and one that throws is counted', async () => {
  const { exporter, platform } = testClient({ served: true });
  const heard: number[] = [];
  exporter.subscribe(() => assert.fail('planted'));
  const stop = exporter.subscribe((stats) => void heard.push(stats.spans.stored));
  await exported(exporter, [handMade()]);
  await exporter.flush();
  await platform.advance(200);
  assert.equal(heard.at(-1), 1);
  stop();
  const { length } = heard;
  await exported(exporter, [handMade({ name: 'other' })]);
  await exporter.flush();
  await platform.advance(200);
  assert.equal(heard.length, length);
  assert.ok(exporter.stats().exceptions > 0);
});

/** A destination of somebody else's making, with no more than it must have. */
const foreign = (send: (blob: TraceBlob) => Promise<Outcome>, others: object = {}): Destination => ({
  open: () => ({ send, close() {}, ...others }),
});

/** An exporter that sends there, with a span of a page that lives for ten seconds more. */
async function sentTo(destination: Destination): Promise<TraceExporter> {
  const platform = testPlatform();
  const exporter = new TraceExporter({ destination }, platform);
  const processor = new TraceBatchProcessor(exporter, { scheduledDelayMillis: 0 });
  const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer('tests');
  tracer.startSpan('work').end();
  await platform.advance(10_000);
  return exporter;
}

const planted = (): never => assert.fail('planted');
for (const [name, fail] of [
  ['rejects', () => Promise.reject(new Error('planted'))],
  ['throws', planted],
  ['answers nothing', async () => undefined],
  ['answers with no outcome', async () => ({ status: 7 })],
] as const) {
  test(`exporter: a destination that ${name} has failed an attempt, which is made again`, async () => {
    let attempts = 0;
    const exporter = await sentTo(
      foreign((async () => (attempts++ ? { status: 'stored' } : fail())) as () => Promise<Outcome>),
    );
    assert.equal(exporter.stats().spans.stored, 1);
    assert.equal(attempts, 2);
    assertLedger(exporter.stats(), 1);
  });
}

for (const method of ['sendNow', 'sendLater', 'hold', 'receiptOf', 'leave', 'settle', 'close', 'tell']) {
  test(`exporter: a destination whose ${method} throws reaches nobody, and costs no span`, async () => {
    const platform = testPlatform({ defers: true });
    const destination = foreign(async () => ({ status: 'stored' }), {
      receiptOf: () => ({ id: 'x' }),
      [method]: planted,
    });
    const exporter = new TraceExporter({ destination, shutdownTimeoutMillis: 100 }, platform);
    const processor = new TraceBatchProcessor(exporter, { scheduledDelayMillis: 2_000 });
    const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer('tests');
    for (const signal of ['hidden', 'visible', 'leaving', 'visible'] as const) {
      tracer.startSpan('work').end();
      await platform.advance(1_500);
      tracer.startSpan('work').end();
      platform.page(signal);
      assertLedger(exporter.stats());
    }
    await exporter.flush();
    await platform.advance(600_000);
    assert.equal(exporter.stats().spans.stored, 8);
    const ended = processor.shutdown();
    await platform.advance(1_000);
    await ended;
    assertLedger(exporter.stats(), 8);
    assert.deepEqual([...platform.exceptions], []);
    assert.deepEqual(platform.loose, { timers: 0, listeners: 0 });
  });
}

test('exporter: a destination that cannot be opened keeps spans waiting, counted, and throws at nobody', async () => {
  const exporter = await sentTo({ open: planted });
  assertLedger(exporter.stats(), 1);
  assert.ok(exporter.stats().exceptions > 0);
  assert.equal(exporter.stats().spans.waiting, 1);
});

for (const [said, stored, rejected] of [
  [2, 3, 2],
  [5, 0, 5],
  [6, 0, 5],
  [0, 5, undefined],
  [-1, 5, undefined],
  [Number.NaN, 5, undefined],
] as const) {
  test(`exporter: of 5 spans the other side rejects ${said}`, async () => {
    const { exporter, platform } = (() => {
      const platform = testPlatform();
      const rejects = { spanCount: said, cause: 'no room' };
      const destination = foreign(async () => ({ status: 'stored', rejected: rejects }));
      return { exporter: new TraceExporter({ destination }, platform), platform };
    })();
    await exported(
      exporter,
      Array.from({ length: 5 }, () => handMade()),
    );
    await exporter.flush();
    await platform.advance(10_000);
    const stats = exporter.stats();
    assert.equal(stats.spans.stored, stored);
    assert.equal(stats.spans.dropped.rejected, rejected);
    assert.equal(stats.errors.find(({ kind }) => kind === 'rejected')?.message, rejected && 'no room');
    assertLedger(stats, 5);
  });
}

test('exporter: the destination is asked for by name', () => {
  assert.throws(
    () => new TraceExporter({} as never),
    /option "destination" takes a destination such as bucket/,
  );
  assert.throws(() => new TraceExporter(undefined as never), /TraceExporter takes an object of options/);
  const destination = foreign(async () => ({ status: 'stored' }));
  assert.throws(() => new TraceExporter({ destination, url: 'x' } as never), /has no option "url"/);
});

test('exporter: at most four blobs are under way, and one while nothing gets through', async () => {
  const platform = testPlatform();
  const answers: ((outcome: Outcome) => void)[] = [];
  const destination = foreign(() => new Promise((resolve) => void answers.push(resolve)));
  const exporter = new TraceExporter({ destination, maxTracesPerBlob: 1 }, platform);
  for (let at = 0; at < 10; at++) {
    const traceId = String(at).padStart(32, '0');
    void exported(exporter, [
      handMade({ spanContext: () => ({ traceId, spanId: '00f067aa0ba902b7', traceFlags: 1 }) }),
    ]);
  }
  void exporter.flush();
  await until(() => answers.length === 4);
  await settle();
  assert.equal(answers.length, 4);
  for (const answer of answers.splice(0)) answer({ status: 'retryable', cause: 'planted' });
  await settle();
  assert.equal(answers.length, 1);
  for (let sent = 4; sent < 10; sent++) {
    await until(() => answers.length > 0);
    answers.shift()?.({ status: 'stored' });
    await settle();
  }
  assertLedger(exporter.stats(), 10);
});

/** A page whose blobs fail until they do not, each of one trace. */
function failing(blobs: number) {
  const platform = testPlatform();
  const sent: TraceBlob[] = [];
  const world = { isDown: true, outcome: { status: 'retryable', cause: 'planted' } as Outcome };
  const destination = foreign(async (blob) => {
    sent.push(blob);
    return world.isDown ? world.outcome : { status: 'stored' };
  });
  const exporter = new TraceExporter({ destination, maxTracesPerBlob: 1 }, platform);
  const processor = new TraceBatchProcessor(exporter, { scheduledDelayMillis: 0 });
  const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer('tests');
  for (let at = 0; at < blobs; at++) tracer.startSpan(`work ${at}`).end();
  return Object.assign(world, { platform, sent, exporter });
}

test('exporter: while nothing gets through, many that wait make no more attempts than one', async () => {
  const counts: number[] = [];
  for (const blobs of [1, 100]) {
    const world = failing(blobs);
    await world.platform.advance(600_000);
    counts.push(world.sent.length);
    world.isDown = false;
    await world.platform.advance(600_000);
    assert.equal(world.exporter.stats().spans.stored, blobs);
  }
  const [one = 0, many = 0] = counts;
  assert.ok(many < 3 * one, `${many} attempts for 100, ${one} for one`);
});

test('exporter: a wall clock that is set back by a day holds nothing for a day', async () => {
  const world = failing(1);
  await world.platform.advance(2_000);
  world.isDown = false;
  world.platform.jump(-86_400_000);
  await world.platform.advance(600_000);
  assert.equal(world.exporter.stats().spans.stored, 1);
});

test('exporter: a delay for one blob alone does not keep the others', async () => {
  const world = failing(1);
  world.outcome = { status: 'retryable', cause: 'planted', delayMillis: 60_000 };
  await world.platform.advance(1_000);
  world.isDown = false;
  const exported = new Promise((resolve) => world.exporter.export([handMade({ name: 'other' })], resolve));
  await exported;
  await world.platform.advance(10_000);
  assert.equal(world.exporter.stats().spans.stored, 1);
  await world.platform.advance(60_000);
  assert.equal(world.exporter.stats().spans.stored, 2);
});

test('exporter: a compressor that fails costs no span, nor what else the leaving page has to do', async () => {
  const origin = testOrigin();
  const platform = testPlatform({ origin });
  const sent: TraceBlob[] = [];
  let isBroken = true;
  const gzipNow = (json: string) => {
    if (isBroken) throw new RangeError('out of memory');
    return { bytes: new Uint8Array(gzipSync(json)), rawBytes: json.length };
  };
  const gzip = async (json: string) => gzipNow(json);
  const left: Uint8Array[] = [];
  const destination = foreign(
    async (blob) => {
      sent.push(blob);
      return { status: 'stored' };
    },
    { sendNow: (_: TraceBlob, bytes: Uint8Array) => left.push(bytes) > 2 },
  );
  const exporter = new Exporter(
    { destination, maxTracesPerBlob: 1 },
    { platform: () => platform, openDelivery: async (host) => openDelivery(host, { gzip, gzipNow }) },
  );
  const processor = new TraceBatchProcessor(exporter, { scheduledDelayMillis: 0 });
  const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer('tests');
  tracer.startSpan('one').end();
  await platform.advance(5_000);
  tracer.startSpan('two').end();
  platform.page('leaving');
  assert.equal(left.length, 2);
  assert.match(Buffer.from(left[0] as Uint8Array).toString(), /^\{"resourceSpans"/);
  assert.equal(origin.held.size, 0, 'the next page may take over');
  assertLedger(exporter.stats(), 2);
  platform.page('visible');
  isBroken = false;
  await platform.advance(600_000);
  assert.equal(exporter.stats().spans.stored, 2);
  assert.deepEqual([...platform.exceptions], []);
});
