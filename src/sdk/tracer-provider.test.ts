import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import {
  type Attributes,
  type Context,
  createContextKey,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  ParentBasedSampler,
  type ReadableSpan,
  type Sampler,
  SamplingDecision,
  type TracerConfig,
} from '@opentelemetry/sdk-trace-web';
import { type Config, createProvider, createTracer } from './tracer-provider.js';

const theirs = (config: TracerConfig) => new BasicTracerProvider(config);
/** With the sampler that the package has where none is named. */
const ours = (config: TracerConfig) =>
  createProvider({
    ...{
      resource: undefined,
      spanProcessors: [],
      sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
    },
    ...(config as Partial<Config>),
  });

const REMOTE = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), isRemote: true };

/** What can be seen of a span from outside, without ids and without what is read from the clock. */
function seen(span: ReadableSpan) {
  const { name, kind, startTime, endTime, duration, status, attributes, links, events, ended } = span;
  const { parentSpanContext, instrumentationScope } = span;
  const { traceFlags, traceState } = span.spanContext();
  return structuredClone({
    ...{ name, kind, startTime, endTime, duration, status, attributes, ended, traceFlags, parentSpanContext },
    // An absent field and its zero are one to OTLP.
    links: links.map(({ context, attributes = {}, droppedAttributesCount = 0 }) => ({
      ...{ context, attributes, droppedAttributesCount },
    })),
    events: events.map(({ name: event, time, attributes = {}, droppedAttributesCount = 0 }) => ({
      ...{ event, time, attributes, droppedAttributesCount },
    })),
    traceState: traceState?.serialize(),
    scope: { name: instrumentationScope.name, version: instrumentationScope.version },
    dropped: [span.droppedAttributesCount, span.droppedEventsCount, span.droppedLinksCount],
  });
}

/** What `play` makes of a provider: the calls that a processor hears, and the spans at each. */
function record(make: typeof theirs | typeof ours, play: (tracer: Tracer) => void, sampler?: Sampler) {
  const heard: unknown[] = [];
  const hear = (what: string) => (span: unknown) => void heard.push([what, seen(span as ReadableSpan)]);
  const processor = {
    onStart: hear('start'),
    onEnding: hear('ending'),
    onEnd: hear('end'),
    forceFlush: async () => {},
    shutdown: async () => {},
  };
  const provider = make({
    resource: { attributes: {}, getRawAttributes: () => [] } as never,
    spanProcessors: [processor],
    ...(sampler ? { sampler } : {}),
  });
  play(provider.getTracer('tests', '1.2.3'));
  return heard;
}

function compare(play: (tracer: Tracer) => void, sampler?: Sampler): void {
  const expected = record(theirs, play, sampler);
  assert.deepEqual(record(ours, play, sampler), expected);
}

const many = (count: number): Attributes =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`key ${index}`, index]));

test('SDK stand-in: the same spans as the package, for all that a span can hold', () => {
  const strange: Attributes = {
    text: 'x',
    list: ['a', null, 'b'],
    mixed: ['a', 1] as never,

    map: {} as never,
    '': 'no key',
  };
  let plays = 0;
  compare((tracer) => {
    plays++;
    const span = tracer.startSpan('first', {
      kind: SpanKind.CLIENT,
      startTime: 1_795_000_000_000.25,
      attributes: { ...strange, flag: false },
      links: [{ context: { ...REMOTE, traceFlags: 1 }, attributes: strange }],
    });
    span
      .setAttribute('later', 3.5)
      .setAttribute('text', 'changed')
      .setAttribute('null', null as never);
    span.addEvent('plain', 1_795_000_000_001);
    span.addEvent('timed', strange, [1_795_000_000, 5]);
    span.addEvent('dated', { a: 1 }, new Date(1_795_000_000_002));
    span.addEvent('many', many(130), 1_795_000_000_003);
    span.addLinks([{ context: { ...REMOTE, traceFlags: 0 }, attributes: many(129) }]);
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'broken' });
    span.recordException({ name: 'TypeError', message: 'wrong', stack: 'at x' }, 1_795_000_000_004);
    span.recordException('only text', 1_795_000_000_004);
    span.recordException({ code: 404 }, 1_795_000_000_004);
    span.recordException({ stack: 'not enough' } as never, 1_795_000_000_004);
    span.updateName('renamed');
    span.end(1_795_000_001_000.5);
    span
      .setAttribute('too', 'late')
      .updateName('late')
      .addEvent('late')
      .setStatus({ code: 1 })
      .addLink({ context: REMOTE as never });
    span.end();
  });
  assert.equal(plays, 2);
});

test('SDK stand-in: the same limits, the same last status, the same times', () => {
  compare((tracer) => {
    const span = tracer.startSpan('limits', {
      startTime: [1_795_000_000, 999_999_999],
      attributes: many(130),
    });
    span.setAttribute('key 0', 'known ones may still change');
    for (let index = 0; index < 130; index++) {
      span.addEvent(`event ${index}`, 1_795_000_001_000);
      span.addLink({ context: { ...REMOTE, traceFlags: index % 2 } });
    }
    span.setStatus({ code: SpanStatusCode.OK, message: 'no word' }).setStatus({ code: SpanStatusCode.ERROR });
    span.end([1_795_000_001, 1]);
  });
  compare((tracer) => {
    const span = tracer.startSpan('backwards', { startTime: 1_795_000_001_000 });
    span.setStatus({ code: SpanStatusCode.UNSET, message: 'nothing' });
    span.setStatus({ code: SpanStatusCode.ERROR, message: 5 as never });
    span.end(1_795_000_000_000);
  });
});

test('SDK stand-in: the same reading of clocks', (t) => {
  let monotonic = 5_000;
  t.mock.method(performance, 'now', () => (monotonic += 0.125));
  mock.timers.enable({ apis: ['Date'], now: Math.round(performance.timeOrigin) + 9_000 });
  const play = (tracer: Tracer): void => {
    monotonic = 5_000;
    const span = tracer.startSpan('of this page');
    // The provider of the package reads the clock once more or less: by how much is no promise.
    span.addEvent('moment', 4_000);
    span.end(4_500.5);
    const late = tracer.startSpan('moment', { startTime: 4_000 });
    late.addEvent('wall');
    late.end();
  };
  const near = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value), (_, item) =>
      Array.isArray(item) && item.length === 2 && typeof item[1] === 'number'
        ? [item[0], Math.round(item[1] / 1e7)]
        : item,
    );
  try {
    assert.deepEqual(near(record(ours, play)), near(record(theirs, play)));
  } finally {
    mock.timers.reset();
  }
});

test('SDK stand-in: the same parents, flags and samplers', () => {
  const under = (context: Context) => (tracer: Tracer) => {
    tracer.startSpan('child', { startTime: 1e12 }, context).end(1e12);
    tracer.startSpan('root', { startTime: 1e12, root: true }, context).end(1e12);
  };
  const remote = (traceFlags: number) => trace.setSpanContext(ROOT_CONTEXT, { ...REMOTE, traceFlags });
  compare(under(remote(TraceFlags.SAMPLED)));
  compare(under(remote(TraceFlags.NONE)));
  compare(under(trace.setSpanContext(ROOT_CONTEXT, { ...REMOTE, traceFlags: 1, spanId: '0'.repeat(16) })));
  compare(under(suppressTracing(ROOT_CONTEXT)));
  for (const decision of [
    SamplingDecision.NOT_RECORD,
    SamplingDecision.RECORD,
    SamplingDecision.RECORD_AND_SAMPLED,
  ]) {
    const asked: unknown[] = [];
    const sampler: Sampler = {
      shouldSample(_context, traceId, ...rest) {
        asked.push(structuredClone(rest));
        return { decision, attributes: { 'sampled.by': traceId.length } };
      },
    };
    compare(under(ROOT_CONTEXT), sampler);
    assert.equal(asked.length, 4);
    assert.deepEqual(asked.slice(2), asked.slice(0, 2));
  }
});

test('SDK stand-in: ids are random hex, and a child has its parent’s trace', () => {
  const tracer = ours({}).getTracer('tests');
  const parent = tracer.startSpan('parent');
  const child = tracer.startSpan('child', {}, trace.setSpan(ROOT_CONTEXT, parent));
  const [one, other] = [parent.spanContext(), child.spanContext()];
  assert.match(one.traceId, /^[\da-f]{32}$/);
  assert.match(other.spanId, /^[\da-f]{16}$/);
  assert.equal(other.traceId, one.traceId);
  assert.notEqual(other.spanId, one.spanId);
});

test('SDK stand-in: active spans by every form of the call', () => {
  const tracer = ours({}).getTracer('tests', '1');
  const name = (span: Span): unknown => (span as unknown as { name: string }).name;
  assert.equal(tracer.startActiveSpan('a', name), 'a');
  assert.equal(
    tracer.startActiveSpan('b', { kind: 2 }, (span) => (span as unknown as { kind: number }).kind),
    2,
  );
  const parent = trace.setSpanContext(ROOT_CONTEXT, { ...REMOTE, traceFlags: 1 });
  assert.equal(
    tracer.startActiveSpan('c', {}, parent, (span) => span.spanContext().traceId),
    REMOTE.traceId,
  );
});

test('SDK stand-in: a trace whose id is random says so to whoever continues it', () => {
  const flagsBelow = (traceFlags: number, decision: SamplingDecision) => {
    const provider = ours({ sampler: { shouldSample: () => ({ decision }) } as never });
    const parent = trace.setSpanContext(ROOT_CONTEXT, { ...REMOTE, traceFlags });
    return provider.getTracer('tests').startSpan('child', {}, parent).spanContext().traceFlags;
  };
  assert.equal(flagsBelow(3, SamplingDecision.RECORD_AND_SAMPLED), 3);
  assert.equal(flagsBelow(3, SamplingDecision.NOT_RECORD), 2);
  assert.equal(flagsBelow(2, SamplingDecision.RECORD_AND_SAMPLED), 3);
  assert.equal(flagsBelow(1, SamplingDecision.NOT_RECORD), 0);
});

test('SDK stand-in: where a span starts decides what becomes of it', () => {
  const key = createContextKey('tests');
  const seen: string[] = [];
  const spanProcessors = [{ onStart: (span: { name: string }) => seen.push(span.name), onEnd() {} }];
  const sampler = { shouldSample: () => ({ decision: SamplingDecision.RECORD_AND_SAMPLED }) };
  const config = { resource: undefined, spanProcessors, sampler } as never;
  const tracer = createTracer({ name: 'tests', version: undefined, schemaUrl: undefined }, (from) =>
    from.getValue(key) ? config : undefined,
  );
  const here = trace.setSpanContext(ROOT_CONTEXT, { ...REMOTE, traceFlags: 1 });
  assert.equal(tracer.startSpan('outside', {}, here).spanContext().spanId, REMOTE.spanId);
  assert.equal(tracer.startSpan('nowhere', {}, ROOT_CONTEXT).isRecording(), false);
  assert.equal(tracer.startSpan('inside', { root: true }, here.setValue(key, true)).isRecording(), true);
  assert.deepEqual(seen, ['inside']);
});
