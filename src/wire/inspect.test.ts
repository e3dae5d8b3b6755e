import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { gzipped, type Json, LIMITS, request, span, spanId, traceId } from '../testing/forward.js';
import { sdkSpans } from '../testing/sdk-spans.js';
import { inspect } from './inspect.js';

const look = (text: string, asStored = false) =>
  inspect(gzipped(text), LIMITS, { signal: 'traces', asStored });
const wrongWith = async (json: Json, limits = LIMITS): Promise<string> => {
  const result = await inspect(gzipped(JSON.stringify(json)), limits, { signal: 'traces', asStored: false });
  return 'reason' in result ? `${result.reason}: ${result.message}` : 'nothing';
};
const SPAN = '$.resourceSpans[0].scopeSpans[0].spans[0]';

test('inspect: what the official serializer writes passes, and keeps every field', async () => {
  const text = new TextDecoder().decode(JsonTraceSerializer.serializeRequest(sdkSpans() as never));
  const result = await look(text, true);
  assert.ok('request' in result, JSON.stringify(result));
  const expected = JSON.parse(text);
  // It writes what OTLP does not have: the schema of a resource is beside it.
  for (const { resource } of expected.resourceSpans) delete resource.schemaUrl;
  assert.deepEqual(result.request, expected);
  assert.equal(result.spanCount, sdkSpans().length);
  assert.equal(result.isAmbiguous, false);
});

test('inspect: all kinds of values pass as they are', async () => {
  const values = [
    {},
    { stringValue: 'ä \u2028' },
    { boolValue: false },
    { intValue: '-9223372036854775808' },
    { intValue: '9223372036854775807' },
    { intValue: -7 },
    { doubleValue: 1.5 },
    { doubleValue: 'NaN' },
    { doubleValue: '-Infinity' },
    { doubleValue: '1e300' },
    { bytesValue: 'AP+/_-8=' },
    { arrayValue: {} },
    { arrayValue: { values: [{ kvlistValue: { values: [{ key: 'k', value: { boolValue: true } }] } }] } },
  ];
  const attributes = values.map((value, index) => ({ key: `k${index}`, value }));
  const json = request([span(0, 0, { attributes, kind: 0, status: {}, flags: 769, parentSpanId: '' })]);
  const result = await look(JSON.stringify(json));
  assert.ok('request' in result, JSON.stringify(result));
  assert.deepEqual(result.request, json);
});

test('inspect: ids become lowercase, and what is null or unknown goes', async () => {
  const json = request([
    span(0xabc, 0xdef, {
      traceId: traceId(0xabc).toUpperCase(),
      spanId: spanId(0xdef).toUpperCase(),
      status: null,
      future: { deep: [1] },
    }),
  ]);
  const text = JSON.stringify(json).replace('"future"', '"__proto__":{"kind":9},"constructor":1,"future"');
  const result = await look(text);
  assert.ok('request' in result, JSON.stringify(result));
  assert.deepEqual(result.request, request([span(0xabc, 0xdef)]));
});

test('inspect: what is wrong is told by its place, and without its value', async () => {
  const cases: [object | ((json: Json) => Json), string][] = [
    [{ traceId: 'secret' }, `${SPAN}.traceId is no id in hexadecimal digits`],
    [{ traceId: '0'.repeat(32) }, `${SPAN}.traceId is zero`],
    [{ traceId: undefined }, `${SPAN}.traceId is missing`],
    [{ spanId: null }, `${SPAN}.spanId is missing`],
    [{ spanId: spanId(0) + spanId(0) }, `${SPAN}.spanId is no id in hexadecimal digits`],
    [{ spanId: '0'.repeat(16) }, `${SPAN}.spanId is zero`],
    [{ parentSpanId: 'xyz' }, `${SPAN}.parentSpanId is no id in hexadecimal digits`],
    [{ kind: 'SPAN_KIND_SERVER' }, `${SPAN}.kind is no integer from 0 to 5`],
    [{ kind: 6 }, `${SPAN}.kind is no integer from 0 to 5`],
    [{ status: { code: 'STATUS_CODE_OK' } }, `${SPAN}.status.code is no integer from 0 to 2`],
    [{ name: 7 }, `${SPAN}.name is no string`],
    [{ startTimeUnixNano: '1.5' }, `${SPAN}.startTimeUnixNano is no time`],
    [{ startTimeUnixNano: '-1' }, `${SPAN}.startTimeUnixNano is no time`],
    [{ endTimeUnixNano: '18446744073709551616' }, `${SPAN}.endTimeUnixNano is no time`],
    [{ endTimeUnixNano: 2 ** 60 }, `${SPAN}.endTimeUnixNano is no time`],
    [{ flags: -1 }, `${SPAN}.flags is no 32-bit number`],
    [{ droppedEventsCount: 2 ** 32 }, `${SPAN}.droppedEventsCount is no 32-bit number`],
    [{ events: {} }, `${SPAN}.events is no array`],
    [{ events: [null] }, `${SPAN}.events[0] is no object`],
    [{ links: [{ traceId: traceId(0) }] }, `${SPAN}.links[0].spanId is missing`],
    [{ attributes: [{ key: 1 }] }, `${SPAN}.attributes[0].key is no string`],
    [value({ intValue: 1.5 }), `${SPAN}.attributes[0].value.intValue is no 64-bit integer`],
    [value({ intValue: '9223372036854775808' }), `${SPAN}.attributes[0].value.intValue is no 64-bit integer`],
    [value({ intValue: 2 ** 53 }), `${SPAN}.attributes[0].value.intValue is no 64-bit integer`],
    [value({ doubleValue: 'one' }), `${SPAN}.attributes[0].value.doubleValue is no number`],
    [value({ boolValue: 'true' }), `${SPAN}.attributes[0].value.boolValue is no boolean`],
    [value({ bytesValue: '"' }), `${SPAN}.attributes[0].value.bytesValue is no base64`],
    [value({ stringValue: '', boolValue: true }), `${SPAN}.attributes[0].value has several values`],
    [{ trace_id: traceId(1) }, `${SPAN}.traceId is spelled otherwise`],
    [{ TraceID: traceId(1) }, `${SPAN}.traceId is spelled otherwise`],
    [(json) => ({ resource_spans: json.resourceSpans }), '$.resourceSpans is spelled otherwise'],
    [() => ({}), '$.resourceSpans is missing'],
    [() => [], '$ is no object'],
    [() => ({ resourceSpans: {} }), '$.resourceSpans is no array'],
    [
      () => ({ resourceSpans: [{ instrumentationLibrarySpans: [] }] }),
      '$.resourceSpans[0].instrumentationLibrarySpans is of an OTLP before 1.0',
    ],
  ];
  for (const [change, expected] of cases) {
    const json = typeof change === 'function' ? change(request([span(0, 0)])) : request([span(0, 0, change)]);
    assert.equal(await wrongWith(json), `not-otlp: ${expected}`);
  }
  const infinite = JSON.stringify(request([span(0, 0, value({ doubleValue: 7 }))])).replace(':7}', ':1e999}');
  const result = await look(infinite);
  assert.ok('reason' in result && result.message.endsWith('doubleValue is no number'));
});

test('inspect: what is not one JSON text in UTF-8 is not JSON', async () => {
  const good = JSON.stringify(request([span(0, 0)]));
  const cases: [string | Uint8Array, string][] = [
    [`${good}\n${good}\n`, 'it is JSON by lines; one object holds one request'],
    [`${good}${good}`, 'it is not JSON'],
    [`\ufeff${good}`, 'it is not JSON'],
    ['', 'it is not JSON'],
    [good.slice(0, -1), 'it is not JSON'],
    [Buffer.concat([Buffer.from('{"a":"'), Buffer.of(0xff), Buffer.from('"}')]), 'it is not UTF-8'],
  ];
  for (const [text, message] of cases) {
    const result = await inspect(gzipped(text), LIMITS, { signal: 'traces', asStored: false });
    assert.deepEqual(result, { reason: 'not-json', message });
  }
});

test('inspect: each limit of content holds, and the value before it passes', async () => {
  const limits = { ...LIMITS, maxSpans: 3, maxAttributes: 4, maxEvents: 2, maxTextLength: 256, maxDepth: 2 };
  const wrong = (json: Json): Promise<string> => wrongWith(json, limits);
  const attribute = { key: 'k', value: { intValue: 1 } };
  const nested = (depth: number): Json => (depth ? { arrayValue: { values: [nested(depth - 1)] } } : {});
  const event = { timeUnixNano: '1' };
  const cases: [(n: number) => Json, number, string][] = [
    [(n) => request(Array.from({ length: n }, (_, id) => span(0, id))), 3, 'spans'],
    [(n) => request([span(0, 0, { attributes: Array(n).fill(attribute) })]), 4, 'attributes'],
    [(n) => request([span(0, 0, { events: Array(n).fill(event) })]), 2, 'events'],
    [(n) => request([span(0, 0, { name: 'x'.repeat(n) })]), 256, 'name'],
    [(n) => request([span(0, 0, { attributes: [{ key: 'k', value: nested(n) }] })]), 2, 'nested'],
  ];
  for (const [make, most, word] of cases) {
    assert.equal(await wrong(make(most)), 'nothing', word);
    assert.match(await wrong(make(most + 1)), new RegExp(`^not-otlp: .*${word}`));
  }
  const sideBySide = { arrayValue: { values: Array(9).fill(nested(1)) } };
  assert.equal(
    await wrong(request([span(0, 0, { attributes: [{ key: 'k', value: sideBySide }] })])),
    'nothing',
  );
});

test('inspect: names that are there twice, and halves of pairs, are seen where bytes go on as they are', async () => {
  const good = JSON.stringify(
    request([span(0, 0, { name: 'a "quoted": \\" name\\', unknown: { a: { b: 1 } } })]),
  );
  const cases: [string, boolean][] = [
    [good, false],
    [JSON.stringify(JSON.parse(good), null, '\t'), false],
    [good.replace('"kind":1', '"kind":1,"kind":1'), true],
    [good.replace('"kind":1', '"kind":1,"ki\\u006ed":1'), true],
    [good.replace('{"resourceSpans"', '{"resourceSpans":[],"resourceSpans"'), true],
  ];
  for (const [text, expected] of cases) {
    const result = await look(text, true);
    assert.ok('isAmbiguous' in result, JSON.stringify(result));
    assert.equal(result.isAmbiguous, expected, text);
  }
  const half = await look(JSON.stringify(request([span(0, 0, { name: '\ud800' })])), true);
  assert.ok('isAmbiguous' in half && half.isAmbiguous);
});

test('inspect: what would take long to parse or to check is refused before that', async () => {
  const many = (piece: string, count: number, last: string): string =>
    `{"resourceSpans":[${piece.repeat(count)}${last}]}`;
  const names = Array.from({ length: 200 }, (_, n) => `"k${n}":0`).join(',');
  const cases: [string, string][] = [
    [many('[],', 50_000, '[]'), 'it is mostly brackets'],
    [many('{},', 50_000, '{}'), 'it is mostly brackets'],
    [many('[', 100_000, ''), 'it is mostly brackets'],
    [many('{         },', 50_000, '{}'), '$.resourceSpans has 50001 items; 50000 are taken'],
    [many(`{${names}}`, 1, ''), '$.resourceSpans[0] has 200 fields'],
  ];
  for (const [text, message] of cases) {
    const result = await inspect(
      gzipped(text),
      { ...LIMITS, maxInflateRatio: 1_100 },
      { signal: 'traces', asStored: false },
    );
    assert.deepEqual(result, { reason: 'not-otlp', message });
  }
  const nested = `{"resourceSpans":[],"future":${'['.repeat(8_000)}${']'.repeat(8_000)}}`;
  const deep = await inspect(
    gzipped(nested),
    { ...LIMITS, maxInflateRatio: 1_100 },
    { signal: 'traces', asStored: true },
  );
  assert.ok('request' in deep);
});

const value = (anyValue: object): object => ({ attributes: [{ key: 'k', value: anyValue }] });
