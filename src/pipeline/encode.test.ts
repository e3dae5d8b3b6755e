import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Attributes, SpanStatusCode } from '@opentelemetry/api';
import { encodeAll, handMade, SECONDS, setUp, TRACE_ID, type Tree } from '../testing/encoding.js';
import type { SpanGroup } from './model.js';

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
  const spans = [handMade({ attributes: { big: 'x'.repeat(1_000) } }), handMade()];
  const { spans: kept, dropped } = encodeAll(spans, { maxSpanChars: 1_000 });
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

test('encode: the summary is of the local root, with times from the earliest start to the latest end', () => {
  const parentSpanContext = { traceId: TRACE_ID, spanId: '1111111111111111', traceFlags: 1 };
  const { trace: encoded } = encodeAll([
    handMade({
      name: 'child',
      parentSpanContext,
      startTime: [SECONDS - 1, 999_500_000],
      status: { code: 2 },
    }),
    handMade({
      name: 'root \ud83d\ude00'.padStart(256, 'r'),
      parentSpanContext: { ...parentSpanContext, isRemote: true },
      endTime: [SECONDS + 1, 250_000],
    }),
    handMade({ name: 'last', parentSpanContext }),
  ]);
  assert.deepEqual(encoded?.summary, {
    traceId: TRACE_ID,
    // 255 UTF-16 units; the pair that this cuts in two is not left half.
    rootName: `${'root '.padStart(254, 'r')}\ufffd`,
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

test('encode: slices pause after 4 ms of work, over several small groups too', async () => {
  const { encoder } = setUp();
  const spans = Array.from({ length: 10 }, () => handMade());
  let millis = 0;
  let pauses = 0;
  const pause = async () => {
    pauses++;
  };
  const clock = () => millis++;
  const whole = await encoder.encodeSliced({ traceId: TRACE_ID, spans }, pause, clock);
  assert.equal(pauses, 2);
  assert.deepEqual(whole, encoder.encode({ traceId: TRACE_ID, spans }));
  for (const span of spans) await encoder.encodeSliced({ traceId: TRACE_ID, spans: [span] }, pause, clock);
  assert.equal(pauses, 5);
});

test('encode: a pause that rejects abandons the group and reports no loss', async () => {
  const { encoder, dropped } = setUp();
  const group: SpanGroup = {
    traceId: TRACE_ID,
    spans: [handMade({ startTime: [Number.NaN, 0] }), handMade()],
  };
  let millis = 0;
  const leaving = encoder.encodeSliced(
    group,
    () => Promise.reject(new Error('leaving')),
    () => (millis += 5),
  );
  await assert.rejects(leaving, /leaving/);
  assert.deepEqual(dropped, {});
  assert.equal(encoder.encode(group)?.summary.spanCount, 1);
  assert.deepEqual(dropped, { unencodable: 1 });
});

test('encode: what was encoded ahead is not encoded again, and comes out the same', async () => {
  const { encoder, dropped } = setUp();
  let readings = 0;
  const span = Object.defineProperty(handMade(), 'attributes', { get: () => ({ reading: ++readings }) });
  const group: SpanGroup = { traceId: TRACE_ID, spans: [span] };
  const ahead = encoder.encodeAhead(group);
  assert.equal(readings, 1);
  assert.deepEqual(encoder.encodeAhead(group), ahead);
  assert.deepEqual(encoder.encode(group), ahead);
  assert.deepEqual(
    await encoder.encodeSliced(
      group,
      async () => {},
      () => 0,
    ),
    ahead,
  );
  assert.equal(readings, 1);
  assert.deepEqual(dropped, {});
});

test('encode: what is lost ahead is counted only when it is sealed', () => {
  const { encoder, dropped } = setUp({ maxSpanChars: 2_000 });
  const spans = [
    handMade({ attributes: { long: 'x'.repeat(3_000) } }),
    handMade({ startTime: 'never' }),
    handMade({ name: 'good' }),
  ];
  for (let times = 0; times < 2; times++) {
    assert.equal(encoder.encodeAhead({ traceId: TRACE_ID, spans })?.summary.spanCount, 1);
    assert.deepEqual(dropped, {});
  }
  encoder.encode({ traceId: TRACE_ID, spans });
  assert.deepEqual(dropped, { unencodable: 1, 'too-large': 1 });
});

test('encode: only what is encoded ahead is kept', () => {
  const { encoder } = setUp();
  let readings = 0;
  const span = Object.defineProperty(handMade(), 'attributes', { get: () => ({ reading: ++readings }) });
  for (let times = 0; times < 2; times++) encoder.encode({ traceId: TRACE_ID, spans: [span] });
  assert.equal(readings, 2);
});
