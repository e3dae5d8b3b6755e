import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Signal } from '../../object-key.js';
import { encodeRequest, varintOf } from '../../testing/otlp-decode.js';
import { REQUESTS } from './messages.js';
import { readMessage } from './protobuf.js';

const read = (bytes: Uint8Array, signal: Signal = 'traces') => readMessage(bytes, REQUESTS[signal]);

const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((all) => Buffer.from(all).toString('hex'));
const text = fc.string({ unit: 'grapheme', maxLength: 60 });
const uint32 = fc.nat(0xffff_ffff);
const nanos = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
/** As OTLP/JSON has them. */
const double = fc
  .double()
  .map((value) => (Number.isFinite(value) ? (Object.is(value, -0) ? '-0' : value) : String(value)));
const { anyValue, keyValues } = fc.letrec((tie) => ({
  anyValue: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    fc.record({ stringValue: text }),
    fc.constant({}),
    fc.record({ boolValue: fc.boolean() }),
    fc.record({ intValue: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String) }),
    fc.record({ doubleValue: double }),
    fc.record({ bytesValue: fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64')) }),
    fc.record({ arrayValue: fc.record({ values: fc.array(tie('anyValue'), { minLength: 1 }) }) }),
    fc.record({ kvlistValue: fc.record({ values: tie('keyValues') }) }),
  ),
  keyValues: fc.array(fc.record({ key: text, value: tie('anyValue') }), { minLength: 1, maxLength: 2 }),
}));
const some = <T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(fields, { requiredKeys: [] });
const many = (item: fc.Arbitrary<unknown>) => fc.array(item, { minLength: 1, maxLength: 2 });
const attributed = { attributes: keyValues, droppedAttributesCount: uint32 };
const span = some({
  ...{ traceId: hex(16), spanId: hex(8), traceState: text, parentSpanId: hex(8), name: text },
  kind: fc.nat(5),
  ...{ startTimeUnixNano: nanos, endTimeUnixNano: nanos },
  ...attributed,
  events: many(some({ timeUnixNano: nanos, name: text, ...attributed })),
  droppedEventsCount: uint32,
  links: many(some({ traceId: hex(16), spanId: hex(8), traceState: text, ...attributed, flags: uint32 })),
  droppedLinksCount: uint32,
  status: some({ message: text, code: fc.nat(2) }),
  flags: uint32,
});
const logRecord = some({
  ...{ timeUnixNano: nanos, severityNumber: fc.nat(24), severityText: text, body: anyValue },
  ...attributed,
  ...{ flags: uint32, traceId: hex(16), spanId: hex(8), observedTimeUnixNano: nanos, eventName: text },
});
const entityRef = some({
  ...{ schemaUrl: text, type: text, idKeys: many(text), descriptionKeys: many(text) },
});
const scope = some({ name: text, version: text, ...attributed });
const requestOf = (resources: string, scopes: string, items: string, item: fc.Arbitrary<unknown>) =>
  fc.record({
    [resources]: many(
      some({
        resource: some({ ...attributed, entityRefs: many(entityRef) }),
        [scopes]: many(some({ scope, [items]: many(item), schemaUrl: text })),
        schemaUrl: text,
      }),
    ),
  });

for (const [signal, name, request] of [
  ['traces', 'Request', requestOf('resourceSpans', 'scopeSpans', 'spans', span)],
  ['logs', 'LogsRequest', requestOf('resourceLogs', 'scopeLogs', 'logRecords', logRecord)],
] as const) {
  test(`otlp protobuf: every field of ${signal} is read as OTLP/JSON has it`, () => {
    fc.assert(
      fc.property(request, (tree) => {
        assert.deepEqual(read(encodeRequest(tree, name), signal), JSON.parse(JSON.stringify(tree)));
      }),
      { numRuns: 60 },
    );
  });

  test(`otlp protobuf: of ${signal} that are cut off or damaged nothing is thrown`, () => {
    const damage = fc.record({ at: fc.nat(), byte: fc.nat(255), cut: fc.option(fc.nat()) });
    fc.assert(
      fc.property(request, damage, (tree, { at, byte, cut }) => {
        const bytes = encodeRequest(tree, name);
        if (bytes.length > 0) bytes[at % bytes.length] = byte;
        const some = cut === null ? bytes : bytes.subarray(0, cut % (bytes.length + 1));
        const found = read(some, signal);
        assert.ok(found === undefined || typeof found === 'object');
      }),
      { numRuns: 150 },
    );
  });
}

const field = (number: number, wire: number, ...content: Uint8Array[]) =>
  Buffer.concat([varintOf(number * 8 + wire), ...content]);
const message = (number: number, ...fields: Uint8Array[]) => {
  const content = Buffer.concat(fields);
  return field(number, 2, varintOf(content.length), content);
};

test('otlp protobuf: unknown fields are passed over, whatever their wire', () => {
  const unknown = [
    field(900, 0, varintOf(2n ** 64n - 1n)),
    field(901, 1, Buffer.alloc(8, 255)),
    message(902, Buffer.from('anything')),
    field(903, 5, Buffer.alloc(4, 255)),
  ];
  const span = message(2, ...unknown, message(5, Buffer.from('work')), ...unknown);
  const bytes = Buffer.concat([...unknown, message(1, ...unknown, message(2, ...unknown, span))]);
  assert.deepEqual(read(bytes), { resourceSpans: [{ scopeSpans: [{ spans: [{ name: 'work' }] }] }] });
});

test('otlp protobuf: of fields that come twice the last counts, messages are joined, and of a value one is left', () => {
  const status = [message(15, message(2, Buffer.from('a'))), message(15, field(3, 0, varintOf(2)))];
  const value = message(2, message(1, Buffer.from('x')), field(3, 0, varintOf(7)));
  const attribute = message(9, message(1, Buffer.from('k')), value);
  const name = ['a', 'b'].map((text) => message(5, Buffer.from(text)));
  const bytes = message(1, message(2, message(2, ...status, ...name, attribute)));
  const span = {
    status: { message: 'a', code: 2 },
    name: 'b',
    attributes: [{ key: 'k', value: { intValue: '7' } }],
  };
  assert.deepEqual(read(bytes), { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
});

test('otlp protobuf: what is no UTF-8 is told apart from nothing, and costs no more than a letter', () => {
  const bytes = message(1, message(2, message(2, message(5, Buffer.from([0x61, 0xff, 0x62])))));
  assert.equal(JSON.stringify(read(bytes)).includes('a\ufffdb'), true);
});

test('otlp protobuf: other layouts, groups and bounds are refused', () => {
  const nested = (levels: number) => {
    let value: Buffer = message(1, Buffer.from('x'));
    for (let level = 0; level < levels; level++) value = message(5, message(1, value));
    return message(1, message(1, message(1, message(2, value))));
  };
  assert.notEqual(read(nested(40)), undefined);
  for (const [what, bytes] of Object.entries({
    'a group': field(900, 3),
    'a tag of no field': Buffer.from([0x02, 0x00]),
    'a time as text': message(1, message(2, message(2, message(7, Buffer.alloc(8))))),
    'a length past the end': Buffer.from([0x0a, 0x7f]),
    'a length past its message': message(1, Buffer.from([0x12, 0x7f]), Buffer.alloc(3)),
    'a varint without end': Buffer.from([0x0a, ...Array(12).fill(0xff)]),
    'nested too deeply': nested(2_000),
    'nested by ten thousand': nested(10_000),
    'messages of nothing': Buffer.from(Array.from({ length: 200_000 }, (_, at) => (at % 2 ? 0 : 0x0a))),
    JSON: Buffer.from('{"resourceSpans":[]}'),
  }))
    assert.equal(read(new Uint8Array(bytes)), undefined, what);
});
