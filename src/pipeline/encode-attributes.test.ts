import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attributes } from '@opentelemetry/api';
import fc from 'fast-check';
import { encodeAll, handMade, setUp, spansIn, TRACE_ID, type Tree } from '../testing/encoding.js';
import { bodyOf } from './pack.js';

function attributeOf(value: unknown) {
  const span = encodeAll([handMade({ attributes: { key: value } })]).spans[0] as Tree;
  return { value: (span.attributes as unknown as Tree[] | undefined)?.[0]?.value, span };
}

for (const [name, value, expected] of [
  ['a whole number beyond 2^53', 2 ** 53, { doubleValue: 2 ** 53 }],
  ['a very large number', 1e300, { doubleValue: 1e300 }],
  ['minus zero', -0, { doubleValue: -0 }],
  ['NaN', Number.NaN, { doubleValue: 'NaN' }],
  ['minus infinity', Number.NEGATIVE_INFINITY, { doubleValue: '-Infinity' }],
  ['the largest int64', 2n ** 63n - 1n, { intValue: '9223372036854775807' }],
  ['the smallest int64', -(2n ** 63n), { intValue: '-9223372036854775808' }],
  ['a BigInt beyond int64', 2n ** 63n, { stringValue: '9223372036854775808' }],
  ['bytes', new Uint8Array([0, 250, 255]), { bytesValue: 'APr/' }],
  ['null', null, {}],
  ['a date', new Date(0), { stringValue: '1970-01-01T00:00:00.000Z' }],
  ['an invalid date', new Date(Number.NaN), {}],
  ['a URL', new URL('https://example.com/a'), { stringValue: 'https://example.com/a' }],
  ['holes in a list', [1, undefined, undefined], { arrayValue: { values: [{ intValue: '1' }, {}, {}] } }],
  [
    'a map',
    { 'a"': [true], none: undefined },
    {
      kvlistValue: {
        values: [
          { key: 'a"', value: { arrayValue: { values: [{ boolValue: true }] } } },
          { key: 'none', value: {} },
        ],
      },
    },
  ],
  ['a lone surrogate', 'a\ud800b', { stringValue: 'a\ufffdb' }],
  ['a lone surrogate beside a quote', '"\udc00', { stringValue: '"\ufffd' }],
] as const) {
  test(`encode: ${name} as an attribute`, () => {
    const { encoder } = setUp();
    const encoded = encoder.encode({ traceId: TRACE_ID, spans: [handMade({ attributes: { key: value } })] });
    assert.ok(encoded);
    assert.doesNotMatch(encoded.json, /\\ud[89a-f]/);
    const bytes = new TextEncoder().encode(bodyOf([encoded]));
    const request = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    assert.deepEqual(request.resourceSpans[0].scopeSpans[0].spans[0].attributes[0].value, expected);
  });
}

const cyclic: Record<string, unknown> = {};
cyclic.self = [cyclic];
const nested = (depth: number) => Array.from({ length: depth }).reduce<unknown>((inner) => [inner], 1);
let shared: unknown = 'leaf';
for (let level = 0; level < 31; level++) shared = [shared, shared];

for (const [name, value] of [
  ['a function', () => 1],
  ['a symbol', Symbol('s')],
  ['undefined', undefined],
  ['a function in a list', [() => 1]],
  ['a cycle', cyclic],
  ['33 levels', nested(33)],
  ['a small graph that is a huge tree', shared],
] as const) {
  test(`encode: ${name} is no attribute, and is counted`, () => {
    const { value: encoded, span } = attributeOf(value);
    assert.equal(encoded, undefined);
    assert.equal(span.droppedAttributesCount, 1);
  });
}

test('encode: 32 levels are an attribute, and so are more lists than that beside each other', () => {
  assert.ok(attributeOf(nested(32)).value);
  assert.ok(attributeOf(Array.from({ length: 40 }, () => [1])).value);
});

test('encode: any tree of values becomes JSON, and its span is kept', () => {
  const leaf = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
    fc.double(),
    fc.bigInt(),
    fc.uint8Array(),
    fc.date({ noInvalidDate: false }),
    fc.constantFrom<unknown>(null, undefined, true, () => 1, Symbol('s'), cyclic),
  );
  const key = fc.string({ unit: 'binary' });
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('tree')), fc.dictionary(key, tie('tree'))),
  }));
  const { encoder, dropped } = setUp();
  fc.assert(
    fc.property(fc.dictionary(key, tree), key, (attributes, name) => {
      const encoded = encoder.encode({ traceId: TRACE_ID, spans: [handMade({ name, attributes })] });
      assert.ok(encoded);
      const [span] = spansIn(encoded);
      const pairs = (span?.attributes ?? []) as unknown as unknown[];
      const lost = Number(span?.droppedAttributesCount ?? 0);
      assert.equal(pairs.length + lost, Object.keys(attributes).length);
      assert.doesNotMatch(encoded.json, /\\ud[89a-f]/i);
    }),
    { numRuns: 500 },
  );
  assert.deepEqual(dropped, {});
});

test('encode: 10,000 attributes are encoded', () => {
  const attributes: Attributes = {};
  for (let index = 0; index < 10_000; index++) attributes[`key.${index}`] = index;
  const { spans, dropped } = encodeAll([handMade({ attributes })]);
  assert.equal(spans[0]?.attributes?.length, 10_000);
  assert.deepEqual(dropped, {});
});
