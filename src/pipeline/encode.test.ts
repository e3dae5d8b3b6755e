import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Attributes, SpanStatusCode } from '@opentelemetry/api';
import {
  encodeAll,
  handMade,
  SECONDS,
  type SpanGroup,
  setUp,
  TRACE_ID,
  type Tree,
} from '../testing/encoding.js';

for (const [name, fields] of [
  [
    'a getter that throws',
    { attributes: Object.defineProperty({}, 'a', { enumerable: true, get: throwing }) },
  ],
  ['a span context that throws', { spanContext: throwing }],
  [
    'a malformed trace id',
    { spanContext: () => ({ traceId: 'abc', spanId: '00f067aa0ba902b7', traceFlags: 1 }) },
  ],
  ['a zero span id', { spanContext: () => ({ traceId: TRACE_ID, spanId: '0'.repeat(16), traceFlags: 1 }) }],
  ['a malformed parent id', { parentSpanContext: { traceId: TRACE_ID, spanId: 'x', traceFlags: 1 } }],
  ['a NaN time', { startTime: [Number.NaN, 0] }],
  ['a negative time', { endTime: [-1, 0] }],
  ['negative nanoseconds', { endTime: [SECONDS, -1] }],
  ['a time beyond 64 bits', { endTime: [1e11, 0] }],
] as const) {
  test(`encode: ${name} costs that span alone`, () => {
    const { spans, dropped } = encodeAll([
      handMade({ name: 'before' }),
      handMade(fields),
      handMade({ name: 'after' }),
    ]);
    assert.deepEqual(
      spans.map((span) => span.name),
      ['before', 'after'],
    );
    assert.deepEqual(dropped, { unencodable: 1 });
  });
}

test('encode: a getter that throws at its second reading leaves nothing of its span in the trace', () => {
  let readings = 0;
  const span = Object.defineProperty(handMade({ name: 'bad' }), 'status', {
    get: () => (++readings > 1 ? throwing() : { code: SpanStatusCode.ERROR }),
  });
  const { spans, trace, dropped } = encodeAll([span, handMade({ name: 'good' })]);
  assert.deepEqual(
    spans.map(({ name }) => name),
    ['good'],
  );
  assert.deepEqual(
    [trace?.summary.rootName, trace?.summary.spanCount, trace?.summary.error],
    ['good', 1, false],
  );
  assert.deepEqual(dropped, { unencodable: 1 });
});

test('encode: a span named by a number is encoded', () => {
  const { trace, dropped } = encodeAll([handMade({ name: 7 })]);
  assert.equal(trace?.summary.rootName, '7');
  assert.deepEqual(dropped, {});
});

function throwing(): never {
  throw new Error('planted');
}

test('encode: a group of which nothing can be encoded gives nothing', () => {
  const { trace: encoded, dropped } = encodeAll([handMade({ startTime: [Number.NaN, 0] })]);
  assert.equal(encoded, undefined);
  assert.deepEqual(dropped, { unencodable: 1 });
});

test('encode: a span over the limit is dropped alone', () => {
  const spans = [handMade({ attributes: { big: 'x'.repeat(1_100_000) } }), handMade()];
  const { spans: kept, dropped } = encodeAll(spans);
  assert.equal(kept.length, 1);
  assert.deepEqual(dropped, { 'too-large': 1 });
});

test('encode: equal resources of several tracers share one element, unequal ones do not', () => {
  const resource = (name: string) => ({
    resource: { attributes: { 'service.name': name }, schemaUrl: 'https://s' },
  });
  const { trace: encoded } = encodeAll([
    handMade(resource('a')),
    handMade(resource('b')),
    handMade(resource('a')),
  ]);
  const { resourceSpans } = JSON.parse(`{"resourceSpans":[${encoded?.json}]}`);
  assert.deepEqual(
    resourceSpans.map((r: { scopeSpans: { spans: Tree[] }[] }) => r.scopeSpans[0]?.spans.length),
    [2, 1],
  );
  assert.equal(resourceSpans[0].schemaUrl, 'https://s');
});

test('encode: a resource is written anew until its late attributes are there', () => {
  const attributes: Attributes = {};
  const resource = { attributes, asyncAttributesPending: true };
  const { encoder } = setUp();
  const group: SpanGroup = { traceId: TRACE_ID, spans: [handMade({ resource })] };
  assert.match(encoder.encode(group)?.json ?? '', /^\{"resource":\{\}/);
  resource.asyncAttributesPending = false;
  attributes.late = 'yes';
  assert.match(encoder.encode(group)?.json ?? '', /^\{"resource":\{"attributes":\[\{"key":"late"/);
});

test('encode: the summary is named after the earliest span, with times from the earliest start to the latest end', () => {
  const parentSpanContext = { traceId: TRACE_ID, spanId: '1111111111111111', traceFlags: 1 };
  const { trace: encoded } = encodeAll([
    handMade({
      name: 'early'.padStart(256, 'e'),
      parentSpanContext,
      startTime: [SECONDS - 1, 999_500_000],
      status: { code: 2 },
    }),
    handMade({
      name: 'root',
      parentSpanContext: { ...parentSpanContext, isRemote: true },
      endTime: [SECONDS + 1, 250_000],
    }),
    handMade({ name: 'last', parentSpanContext }),
  ]);
  assert.deepEqual(encoded?.summary, {
    traceId: TRACE_ID,
    // 255 UTF-16 units.
    rootName: 'early'.padStart(256, 'e').slice(0, 255),
    startedAt: SECONDS * 1_000 - 0.5,
    durationMs: 1_000.75,
    spanCount: 3,
    error: true,
  });
});

test('encode: a part without a root is named after its earliest span', () => {
  const parentSpanContext = { traceId: TRACE_ID, spanId: '1111111111111111', traceFlags: 1 };
  const { trace: encoded } = encodeAll([
    handMade({ name: 'late', parentSpanContext, startTime: [SECONDS, 6] }),
    handMade({ name: 'early', parentSpanContext, startTime: [SECONDS, 5] }),
  ]);
  assert.equal(encoded?.summary.rootName, 'early');
  assert.equal(encoded?.summary.error, false);
});
