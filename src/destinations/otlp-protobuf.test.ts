/** Blobs as protobuf, against what the official serializer makes of the spans that the blobs were made of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import fc from 'fast-check';
import { gzipNow } from '../pipeline/compress.js';
import type { ReadableSpan } from '../pipeline/model.js';
import { bodyOf } from '../pipeline/pack.js';
import { handMade, SECONDS, setUp, TRACE_ID, type Tree } from '../testing/encoding.js';
import { decodeRequest } from '../testing/otlp-decode.js';
import { levelled, sdkSpans } from '../testing/sdk-spans.js';
import { protobuf } from './otlp-protobuf.js';

const RESOURCE = { attributes: { 'service.name': 'ünïcode 😀' }, schemaUrl: 'https://s.test/r' };

const NAMELESS = { name: '' };

const format = protobuf(ProtobufTraceSerializer);

/** One trace in each group, as the pipeline packs them. */
function jsonOf(...groups: ReadableSpan[][]): string {
  const { encoder, dropped } = setUp({ redaction: false });
  const traces = groups.map((spans) => encoder.encode({ traceId: TRACE_ID, spans }));
  assert.deepEqual(dropped, {});
  return bodyOf(traces as never);
}

function bytesOf(json: string): Uint8Array {
  const steps = format.bodyOf(gzipNow(json));
  let step = steps.next();
  while (!step.done) step = steps.next();
  const { bytes, isGzip } = step.value;
  return isGzip ? gunzipSync(bytes) : bytes;
}

const official = (spans: ReadableSpan[]): Buffer =>
  Buffer.from(ProtobufTraceSerializer.serializeRequest(spans as never) as Uint8Array);

function assertOfficial(...groups: ReadableSpan[][]): void {
  const ours = Buffer.from(bytesOf(jsonOf(...groups)));
  // A repeated field may be written piece by piece.
  const theirs = Buffer.concat(groups.map(official));
  if (!ours.equals(theirs)) assert.deepEqual(decodeRequest(ours), decodeRequest(theirs));
  assert.ok(ours.equals(theirs), 'the same tree, and other bytes');
}

test('protobuf: spans of the SDK are, byte for byte, what the official serializer writes of them', () => {
  const spans = sdkSpans();
  assertOfficial(spans);
  // The oracle has seen what it is meant to see.
  const text = JSON.stringify(decodeRequest(official(spans)));
  for (const word of ['"droppedLinksCount":1', '"flags":769', 'parentSpanId', 'schemas/1.44.0', 'vendor=a']) {
    assert.ok(text.includes(word), word);
  }
});

test('protobuf: what no SDK makes but a span may hold', () => {
  const context = { traceId: TRACE_ID, spanId: 'ffffffffffffffff', traceFlags: 0xff };
  const own = JSON.parse('{"__proto__":{"2":"b","1":"a"},"constructor":1}');
  assertOfficial([
    handMade({
      name: '',
      kind: undefined,
      startTime: [0, 0],
      endTime: [18_446_744_072, 999_999_999],
      parentSpanContext: { ...context, isRemote: false },
      status: { code: SpanStatusCode.UNSET, message: 'said though unset' },
      attributes: {
        nested: [{ list: [1, [2.5, null, 'x']], own, none: {}, nothing: [] }],
        bytes: new Uint8Array([0, 127, 128, 255]),
        empty: new Uint8Array(0),
        null: null,
        numbers: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, -(2 ** 53), 1e300],
        beyond: [2 ** 53, 2 ** 62, -(2 ** 63), 2 ** 63, -0],
        '10': 'ten',
        '9': 'nine',
        '': '',
      },
      droppedAttributesCount: 4_294_967_295,
      events: [
        { time: [SECONDS, 0], name: '' },
        { time: [1, 5], name: 'ü', attributes: { a: 1 }, droppedAttributesCount: 7 },
      ],
      links: [
        { context: { ...context, isRemote: true } },
        { context, attributes: { b: true }, droppedAttributesCount: 9 },
      ],
      resource: RESOURCE,
      instrumentationScope: {
        ...{ name: 'scope', version: '1', schemaUrl: 'https://s.test/s' },
        ...{ attributes: { deep: [true] }, droppedAttributesCount: 3 },
      },
    }),
    ...[SpanKind.INTERNAL, SpanKind.CONSUMER].map((kind) =>
      handMade({ kind, resource: RESOURCE, instrumentationScope: NAMELESS }),
    ),
  ]);
});

test('protobuf: any attribute value', () => {
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.string({ unit: 'binary' }),
      fc.double(),
      fc.maxSafeInteger(),
      fc.boolean(),
      fc.constant(null),
      fc.uint8Array({ maxLength: 300 }),
      fc.array(tie('value'), { maxLength: 5 }),
      fc.dictionary(fc.string(), tie('value'), { maxKeys: 5, noNullPrototype: true }),
    ),
  }));
  const isCallable = (key: string): boolean => key !== 'toJSON';
  fc.assert(
    fc.property(fc.dictionary(fc.string().filter(isCallable), value), (attributes) => {
      assertOfficial([handMade({ attributes })]);
    }),
    { numRuns: 500 },
  );
});

test('protobuf: every field of the JSON is in it', () => {
  const json = jsonOf(sdkSpans());
  assert.deepEqual(levelled(decodeRequest(bytesOf(json))), levelled(JSON.parse(json)));
});

test('protobuf: what the serializer cannot be told', () => {
  const json = jsonOf([
    handMade({
      attributes: { big: 2n ** 63n - 1n, small: -(2n ** 63n), exact: 2n ** 60n, zero: -0, whole: 2 ** 53 },
      resource: { attributes: { no: () => {} } },
    }),
  ]);
  assert.match(json, /"droppedAttributesCount":1.*"intValue":"9223372036854775807".*"doubleValue":-0/);
  const { resourceSpans } = decodeRequest(bytesOf(json)) as never as { resourceSpans: [Tree] };
  const [{ resource, scopeSpans }] = resourceSpans;
  assert.deepEqual(scopeSpans?.['0']?.['spans']?.['0']?.['attributes'], [
    { key: 'big', value: { stringValue: '9223372036854775807' } },
    { key: 'small', value: { intValue: '-9223372036854775808' } },
    { key: 'exact', value: { intValue: '1152921504606846976' } },
    { key: 'zero', value: { intValue: '0' } },
    { key: 'whole', value: { intValue: '9007199254740992' } },
  ]);
  assert.deepEqual(resource, { attributes: [], droppedAttributesCount: 0, entityRefs: [] });
});

test('protobuf: gzip begins at 1,024 bytes', () => {
  const bodyFor = (length: number) => {
    const steps = format.bodyOf(gzipNow(jsonOf([handMade({ name: 'x'.repeat(length) })])));
    let step = steps.next();
    while (!step.done) step = steps.next();
    return step.value;
  };
  const padding = 1_024 - official([handMade({ name: 'x'.repeat(900) })]).length;
  const small = bodyFor(900 + padding - 1);
  assert.deepEqual([small.isGzip, small.bytes.length], [false, 1_023]);
  const large = bodyFor(900 + padding);
  assert.deepEqual([large.isGzip, gunzipSync(large.bytes).length], [true, 1_024]);
  assert.ok(large.bytes.length < 300);
});

for (const [name, blob] of [
  ['is no gzip', { bytes: new Uint8Array(10), rawBytes: 100 }],
  ['is no JSON', gzipNow('{"resourceSpans":[')],
  ['is no OTLP', gzipNow('{"resourceSpans":[{"scopeSpans":[{"spans":[{}]}]}]}')],
  ['is null', gzipNow('null')],
] as const) {
  test(`protobuf: a blob that ${name} throws`, () => {
    assert.throws(() => [...format.bodyOf(blob)]);
  });
}

test('protobuf: takes a serializer and nothing else', () => {
  for (const bad of [undefined, null, 'protobuf', {}, { serializeRequest() {} }]) {
    assert.throws(() => protobuf(bad as never), /option "serializer" takes ProtobufTraceSerializer/);
  }
});
