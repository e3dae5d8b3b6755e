/** Several destinations behind one exporter: what becomes of one is no other's, and what is decided is decided once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Span, SpanStatusCode } from '@opentelemetry/api';
import { BasicTracerProvider, SamplingDecision } from '@opentelemetry/sdk-trace-web';
import { type Tee, tee } from './destinations/tee.js';
import type { Judge, LocalTrace } from './pipeline/local-trace.js';
import type { Outcome } from './pipeline/model.js';
import type { Pipeline } from './pipeline/pipeline.js';
import { assertLedger, testClient } from './testing/client.js';
import type { Cloud } from './testing/cloud.js';
import { testDestination } from './testing/destination.js';
import { testOrigin } from './testing/origin.js';
import { settle, testPlatform, until } from './testing/platform.js';
import { TraceBatchProcessor } from './trace-batch-processor.js';
import { TraceExporter } from './trace-exporter.js';

const FAILED: Outcome = { status: 'retryable', cause: 'planted' };
const REFUSED: Outcome = { status: 'rejected', reason: 'rejected', cause: 'planted' };

/** Two destinations that answer as told, and a provider whose spans are recorded and not sampled. */
function setUp(judge?: Judge) {
  const platform = testPlatform();
  const destinations = [testDestination('a'), testDestination('b')] as const;
  const exporter = new TraceExporter({ destination: tee(...destinations) }, platform);
  const processor = new TraceBatchProcessor(exporter);
  if (judge) exporter.pipeline.buffer.judge = judge;
  const decision = judge ? SamplingDecision.RECORD : SamplingDecision.RECORD_AND_SAMPLED;
  const sampler = { shouldSample: () => ({ decision }) };
  const tracer = new BasicTracerProvider({ spanProcessors: [processor], sampler }).getTracer('tests');
  const stats = () => [exporter.stats(), ...exporter.stats().others];
  return { platform, destinations, exporter, processor, tracer, stats };
}

for (const [first, second, worst] of [
  [{ status: 'stored' }, { status: 'stored' }, 'stored'],
  [{ status: 'stored' }, FAILED, 'waiting'],
  [FAILED, { status: 'stored' }, 'waiting'],
  [FAILED, REFUSED, 'lost'],
  [REFUSED, { status: 'stored' }, 'lost'],
] as [Outcome, Outcome, string][]) {
  test(`tee: where one is ${first.status} and the other ${second.status}, a flush is ${worst}`, async () => {
    const { destinations, exporter, tracer, stats } = setUp();
    destinations[0].outcome = first;
    destinations[1].outcome = second;
    tracer.startSpan('work').end();
    assert.equal(await exporter.flush(), worst);
    for (const one of stats()) assertLedger(one, 1);
    assert.deepEqual(
      stats().map(({ spans }) => spans.stored),
      [first, second].map(({ status }) => Number(status === 'stored')),
    );
  });
}

test('tee: one that cannot be opened, or throws at every turn, keeps no other waiting', async () => {
  for (const open of [
    () => {
      throw new Error('planted');
    },
    () =>
      new Proxy({} as never, {
        get() {
          return () => {
            throw new Error('planted');
          };
        },
      }),
  ]) {
    const platform = testPlatform();
    const good = testDestination('good');
    const exporter = new TraceExporter({ destination: tee({ id: 'bad', open }, good) }, platform);
    const processor = new TraceBatchProcessor(exporter);
    const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer('tests');
    tracer.startSpan('work').end();
    assert.equal(await exporter.flush(), 'waiting');
    assert.equal(good.stored.length, 1);
    assertLedger(exporter.stats(), 1);
    await processor.shutdown();
    assert.deepEqual(platform.exceptions, []);
  }
});

test('tee: spans that the exporter is given go to all', async () => {
  const { destinations, exporter } = setUp();
  const ended: Span[] = [];
  const keep = { onStart() {}, onEnd: (span: unknown) => void ended.push(span as Span) };
  const provider = new BasicTracerProvider({
    spanProcessors: [{ ...keep, forceFlush: async () => {}, shutdown: async () => {} }],
  });
  provider.getTracer('tests').startSpan('work').end();
  const result = await new Promise((resolve) => exporter.export(ended as never, resolve));
  assert.deepEqual(result, { code: 0 });
  await exporter.flush();
  assert.deepEqual(
    destinations.map(({ stored }) => stored.length),
    [1, 1],
  );
});

test('tee: a trace is judged once, and all destinations do what was decided', async () => {
  const asked: string[] = [];
  const over: string[] = [];
  let endedCount = 0;
  const { platform, exporter, tracer, stats } = setUp({
    decide({ traceId, error }, isOver) {
      asked.push(traceId);
      if (error) return true;
      if (isOver) over.push(traceId);
      return isOver ? false : undefined;
    },
    ended: () => void endedCount++,
    crowdedOut: () => assert.fail('there is room'),
  });
  for (let count = 0; count < 10; count++) {
    const span = tracer.startSpan('work');
    if (count % 2) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
    // Between the moments at which the one and the other look.
    await platform.advance(37);
  }
  await platform.advance(120_000);
  await exporter.flush();
  for (const { spans, sampling } of stats()) {
    assert.deepEqual([spans.created, spans.stored, sampling.droppedSpans], [5, 5, 5]);
  }
  assert.equal(new Set(over).size, over.length, 'a trace was given up twice');
  assert.equal(over.length, 5);
  assert.equal(endedCount, 0);
  assert.ok(asked.length >= 10);
});

test('tee: whichever destination looks first that a trace is over, it is judged once', () => {
  for (const isKept of [true, false]) {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const platform = testPlatform();
      const made: Pipeline[] = [];
      const both = tee(testDestination('a'), testDestination('b'));
      const destination: Tee = {
        ...both,
        createPipeline: (deps, options, create) =>
          both.createPipeline(deps, options, (...given) => {
            const pipeline = create(...given);
            made.push(pipeline);
            return pipeline;
          }),
      };
      const exporter = new TraceExporter({ destination }, platform);
      const traces = new Set<LocalTrace>();
      let overCount = 0;
      exporter.pipeline.buffer.judge = {
        decide(trace, isOver) {
          traces.add(trace);
          if (!isOver) return undefined;
          overCount++;
          return isKept;
        },
        ended() {},
        crowdedOut() {},
      };
      const processor = new TraceBatchProcessor(exporter);
      const sampler = { shouldSample: () => ({ decision: SamplingDecision.RECORD }) };
      const provider = new BasicTracerProvider({ spanProcessors: [processor], sampler });
      provider.getTracer('tests').startSpan('work').end();
      for (const at of order) made[at]?.buffer.sweep('all');
      assert.equal(overCount, 1);
      assert.equal(traces.size, 1, 'of the buffers the first is asked about');
      const { spans, others } = exporter.stats();
      assert.deepEqual([spans.created, others[0]?.spans.created], isKept ? [1, 1] : [0, 0]);
    }
  }
});

test('tee: a trace that the page keeps is kept at all', async () => {
  const { platform, exporter, tracer, stats } = setUp({
    decide: (_, isOver) => (isOver ? false : undefined),
    ended() {},
    crowdedOut() {},
  });
  let told = 0;
  const span = tracer.startSpan('work');
  assert.equal(
    exporter.pipeline.buffer.keep(span.spanContext().traceId, () => void told++),
    true,
  );
  span.end();
  await platform.advance(120_000);
  await exporter.flush();
  assert.equal(told, 1);
  for (const { spans } of stats()) assert.equal(spans.stored, 1);
});

test('tee: rules are those of the first that gives any', () => {
  const { destinations, exporter } = setUp();
  const heard: unknown[] = [];
  exporter.onRules = (rules) => void heard.push(rules);
  destinations[1].opened[0]?.rules(['of b']);
  destinations[0].opened[0]?.rules(['of a']);
  destinations[1].opened[0]?.rules(['of b again']);
  assert.deepEqual(heard, [['of b'], ['of b again']]);
});

test('tee: a page that leaves divides what it may still send', async () => {
  const client = testClient({ tees: true, maxTracesPerBlob: 1 });
  const { keepalive } = client.platform;
  const noise = Buffer.from(client.platform.randomBytes(9_000)).toString('base64');
  // More than there is room for, to either.
  const count = Math.ceil(keepalive.freeBytes / 9_000) + 1;
  for (let at = 0; at < count; at++) {
    const span = client.startSpan('root');
    span.setAttribute('noise', noise.slice(at));
    span.end();
  }
  client.platform.page('leaving');
  await settle();
  const hosts = client.platform.beacons.map(({ url }) => new URL(url).host);
  const [mine, theirs] = client.clouds.map((cloud) => client.platform.beacons.filter(cloud.owns).length);
  assert.ok(hosts.length >= 4, hosts.join());
  assert.equal(mine, theirs);
});

test('tee: a denial deletes what is kept for all, once, and a grant begins anew at each', async () => {
  const origin = testOrigin();
  const client = testClient({ tees: true, origin });
  let purges = 0;
  const { purge } = origin;
  origin.purge = (page) => {
    purges++;
    return purge.call(origin, page);
  };
  client.endTrace(2);
  await client.platform.advance(1_000);
  assert.ok(origin.keys().length > 0);
  client.exporter.setConsent('denied');
  client.endTrace(2);
  client.exporter.setConsent('granted');
  await settle();
  assert.equal(purges, 1);
  client.endTrace(3);
  await client.platform.advance(1_000);
  assert.ok(origin.keys().length > 0, 'what came after is kept');
  for (const cloud of client.clouds as Cloud[]) assert.equal(cloud.objects.size, 0);
  const stats = client.exporter.stats();
  for (const one of [stats, ...stats.others]) {
    assertLedger(one);
    assert.equal(one.spans.dropped.consent, 2);
    assert.equal(one.spans.waiting, 3);
    assert.equal(one.consent, 'granted');
  }
});

test('tee: after shutdown nothing is left of any', async () => {
  const client = testClient({ tees: true, served: true, origin: testOrigin() });
  client.endTrace(2);
  const over = client.processor.shutdown();
  await until(() => client.exporter.stats().others[0]?.state === 'shut-down');
  await client.platform.advance(10_000);
  await over;
  assert.deepEqual(client.platform.loose, { timers: 0, listeners: 0 });
  for (const cloud of client.clouds as Cloud[]) assert.equal(cloud.spanIds().length, 2);
});
