import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { parseObjectKey } from '../../object-key.js';
import { NOW_MILLIS } from '../../testing/ingest-harness.js';
import { storageDown } from '../../testing/memory-storage.js';
import { encodeRequest, varintOf } from '../../testing/otlp-decode.js';
import { type OtlpHarness, otlpHarness } from '../../testing/otlp-ingest.js';
import {
  FULL_LOGS,
  FULL_TRACES,
  logsOf,
  nanos,
  SPAN,
  spanOf,
  TRACE,
  tracesOf,
} from '../../testing/otlp-requests.js';
import { uuidV7Millis } from '../uuid.js';

const PROTOBUF = { 'content-type': 'application/x-protobuf' };
const GZIP = { 'content-encoding': 'gzip' };
const gzip = (bytes: string | Uint8Array) => new Uint8Array(gzipSync(bytes));

/** What lies in the store, by its key. */
const stored = ({ storage }: OtlpHarness) =>
  [...storage.objects].map(([key, bytes]) => ({ key, json: JSON.parse(gunzipSync(bytes).toString()) }));

for (const [signal, request, name] of [
  ['traces', FULL_TRACES, 'Request'],
  ['logs', FULL_LOGS, 'LogsRequest'],
] as const) {
  const json = new TextEncoder().encode(JSON.stringify(request));
  const protobuf = encodeRequest(request, name);
  for (const [how, body, headers, answer] of [
    ['JSON', json, { 'content-type': 'application/json; charset=utf-8' }, '{}'],
    ['JSON in gzip', gzip(json), GZIP, '{}'],
    ['protobuf', protobuf, PROTOBUF, ''],
    ['protobuf in gzip', gzip(protobuf), { ...PROTOBUF, ...GZIP }, ''],
  ] as const) {
    test(`otlp: ${signal} as ${how} are one object with every field, and are told onwards`, async () => {
      const harness = otlpHarness();
      const answered = await harness.send(body, { path: `/v1/${signal}`, headers });
      assert.deepEqual([answered.status, Buffer.from(answered.bytes).toString()], [200, answer]);
      const type = 'content-type' in headers ? headers['content-type'].split(';')[0] : 'application/json';
      assert.equal(answered.headers.get('content-type'), type);
      assert.equal(answered.headers.get('access-control-allow-origin'), null);
      const [object, ...others] = stored(harness);
      assert.deepEqual(others, []);
      assert.deepEqual(object?.json, request);
      const { id = '', ...place } = parseObjectKey(object?.key ?? '') ?? {};
      assert.deepEqual(place, { project: 'default', environment: 'production', signal });
      assert.match(object?.key ?? '', /^otlp\/v1\/.*\/year=2026\/month=11\/day=21\/hour=03\/minute=04\//);
      assert.equal(uuidV7Millis(id), NOW_MILLIS + (signal === 'traces' ? -10 : -20));
      const [{ receipts: [receipt] = [], context } = {}, ...more] = harness.told;
      assert.deepEqual(more, []);
      assert.deepEqual(context, { project: 'default', kind: 'otlp' });
      assert.equal(receipt?.key, object?.key);
      assert.equal(receipt?.bytes, harness.storage.objects.get(object?.key ?? '')?.length);
      const [entry] = harness.logged;
      assert.deepEqual(
        [entry?.kind, entry?.status, entry?.project, entry?.created, entry?.bodyBytes, entry?.rejected],
        ['otlp', 200, 'default', true, body.length, undefined],
      );
    });
  }
}

test('otlp: a receipt tells of traces as pages do', async () => {
  const harness = otlpHarness();
  const child = { parentSpanId: SPAN, endTimeUnixNano: nanos(-2) };
  const root = { name: 'root', startTimeUnixNano: nanos(-8), status: { code: 2 } };
  const other = { traceId: 'A'.repeat(32), parentSpanId: '0'.repeat(16) };
  await harness.send(tracesOf(spanOf(1, child), spanOf(2, root), spanOf(3, other)));
  const [receipt] = harness.told[0]?.receipts ?? [];
  assert.equal(receipt?.spanCount, 3);
  assert.deepEqual(
    receipt?.traces.map(({ startedAt, durationMs, ...summary }) => [
      Math.round(startedAt - NOW_MILLIS),
      Math.round(durationMs),
      summary,
    ]),
    [
      [-10, 8, { traceId: TRACE, rootName: 'root', spanCount: 2, error: true }],
      [-10, 5, { traceId: 'a'.repeat(32), rootName: 'span 3', spanCount: 1, error: false }],
    ],
  );
  await harness.send(logsOf({ body: { stringValue: 'x' } }, {}), { path: '/v1/logs' });
  const [logs] = harness.told[1]?.receipts ?? [];
  assert.deepEqual([logs?.spanCount, logs?.logRecordCount, logs?.traces], [0, 2, []]);
});

test('otlp: a request that comes again writes the same object, however it is packed', async () => {
  const harness = otlpHarness();
  const body = encodeRequest(FULL_TRACES);
  await harness.send(body, { headers: PROTOBUF });
  harness.clock.nowMillis += 3_600_000;
  const again = await harness.send(gzip(body), { headers: { ...PROTOBUF, ...GZIP } });
  assert.equal(again.status, 200);
  assert.equal(harness.storage.objects.size, 1);
  assert.deepEqual(
    harness.logged.map(({ created }) => created),
    [true, false],
  );
  // Whoever is told may not have taken it the first time.
  assert.equal(harness.told.length, 2);
  await harness.send(tracesOf(spanOf(1)));
  await harness.send(tracesOf(spanOf(1, { name: 'other' })));
  assert.equal(harness.storage.objects.size, 3);
});

test('otlp: a wrong clock costs nothing: what tells no time that can be lies in the folder for that', async () => {
  const harness = otlpHarness();
  for (const time of ['0', '1', nanos(-9 * 86_400_000), nanos(25 * 3_600_000), '18446744073709551615']) {
    const times = { startTimeUnixNano: time, endTimeUnixNano: time };
    assert.equal((await harness.send(tracesOf(spanOf(1, times)))).status, 200);
  }
  const keys = [...harness.storage.objects.keys()];
  assert.equal(keys.length, 5);
  for (const key of keys) assert.match(key, /year=1970\/month=01\/day=01\/hour=00\/minute=00\//);
});

test('otlp: integers that JSON has as numbers stay what they are, and halves of pairs do no harm', async () => {
  const harness = otlpHarness();
  const text = JSON.stringify(tracesOf(spanOf(1, { name: '\ud800 "1234567890123456789" \\' })))
    .replaceAll(`"${nanos(-10)}"`, nanos(-10))
    .replace('"traceId"', '"attributes":[{"key":"n","value":{"intValue":-9223372036854775807}}],"traceId"');
  assert.ok(!text.includes(`"${nanos(-10)}"`));
  assert.equal((await harness.send(text)).status, 200);
  const [object] = stored(harness);
  const [span] = object?.json.resourceSpans[0].scopeSpans[0].spans ?? [];
  assert.equal(span.startTimeUnixNano, nanos(-10));
  assert.equal(span.attributes[0].value.intValue, '-9223372036854775807');
  assert.equal(span.name, '\ufffd "1234567890123456789" \\');
});

test('otlp: what is wrong costs itself alone, and is counted in the words of the encoding', async () => {
  const harness = otlpHarness();
  const bad = [
    { spanId: '0'.repeat(16) },
    { traceId: 'xyz' },
    { kind: 9 },
    { endTimeUnixNano: 'yesterday' },
    { attributes: Array(2_000).fill({ key: 'a' }) },
    { name: 'x'.repeat(200_000) },
  ];
  const spans = [spanOf(0), ...bad.map((fields, index) => spanOf(index + 1, fields)), 7, spanOf(9)];
  const request = tracesOf(...spans);
  request.resourceSpans.push({ resource: 'none', scopeSpans: [{ spans: [spanOf(20), spanOf(21)] }] });
  const answered = await harness.send(request);
  assert.equal(answered.status, 200);
  const { rejectedSpans, errorMessage } = answered.json.partialSuccess;
  assert.equal(rejectedSpans, '9');
  assert.equal(errorMessage, '$.resourceSpans[1].resource is no object');
  const [object] = stored(harness);
  assert.deepEqual(object?.json, tracesOf(spanOf(0), spanOf(9)));
  assert.equal(harness.logged[0]?.rejected, 9);

  const two = encodeRequest(tracesOf(spanOf(0), spanOf(1, { traceId: 'abcd' })));
  const { bytes } = await harness.send(two, { headers: PROTOBUF });
  const words = '$.resourceSpans[].scopeSpans[].spans[1].traceId is no id in hexadecimal digits';
  const inner = Buffer.concat([Buffer.from([8, 1, 18]), varintOf(words.length), Buffer.from(words)]);
  assert.deepEqual(Buffer.from(bytes), Buffer.concat([Buffer.from([10]), varintOf(inner.length), inner]));

  const logs = await harness.send(logsOf({}, { severityNumber: 99 }), { path: '/v1/logs' });
  assert.equal(logs.json.partialSuccess.rejectedLogRecords, '1');

  const none = await harness.send(tracesOf(spanOf(1, { traceId: 'xyz' })));
  assert.deepEqual([none.status, none.json.code], [400, 3]);
  assert.match(none.json.message, /traceId is no id/);
});

test('otlp: a request with nothing in it is taken, and nothing is stored', async () => {
  const harness = otlpHarness();
  for (const [body, headers] of [
    ['{}', {}],
    ['{"resourceSpans":[]}', {}],
    ['{"resourceSpans":[{"resource":{},"scopeSpans":[{"spans":[]}]}]}', {}],
    [new Uint8Array(), PROTOBUF],
  ] as const)
    assert.equal((await harness.send(body, { headers })).status, 200, String(body));
  assert.equal(harness.storage.objects.size, 0);
  assert.deepEqual(harness.told, []);
});

test('otlp: fields that nobody knows go; those of another signal are refused', async () => {
  const harness = otlpHarness();
  const request = { ...tracesOf(spanOf(1, { newField: { deep: [1] }, nothing: null })), unknown: 1 };
  assert.equal((await harness.send(request)).status, 200);
  assert.deepEqual(stored(harness)[0]?.json, tracesOf(spanOf(1)));
  for (const [path, body] of [
    ['/v1/traces', FULL_LOGS],
    ['/v1/logs', FULL_TRACES],
    ['/v1/traces', { resource_spans: [] }],
    ['/v1/traces', { resourceSpans: {} }],
    ['/v1/traces', { resourceMetrics: [] }],
  ] as const)
    assert.equal((await harness.send(body, { path })).status, 400, JSON.stringify(body).slice(0, 40));
  assert.equal(harness.storage.objects.size, 1);
});

test('otlp: a hook that does not take a receipt has the exporter come again', async () => {
  let isBroken = true;
  const told: string[] = [];
  const harness = otlpHarness({
    onStored: ([receipt]) => {
      if (isBroken) throw new Error('planted');
      told.push(receipt?.key ?? '');
    },
  });
  const { status, headers } = await harness.send(tracesOf(spanOf(1)));
  assert.deepEqual([status, headers.get('retry-after')], [503, '10']);
  isBroken = false;
  assert.equal((await harness.send(tracesOf(spanOf(1)))).status, 200);
  assert.deepEqual(told, [...harness.storage.objects.keys()]);
});

test('otlp: a store that fails is a 502, which exporters try again', async () => {
  const harness = otlpHarness();
  harness.storage.failure = storageDown();
  const { status, json } = await harness.send(tracesOf(spanOf(1)));
  assert.deepEqual([status, json.code], [502, 14]);
  assert.doesNotMatch(JSON.stringify(json), /store\.example/);
  harness.storage.failure = undefined;
  assert.equal((await harness.send(tracesOf(spanOf(1)))).status, 200);
});
