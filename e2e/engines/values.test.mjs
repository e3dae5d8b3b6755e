// What no exporter of ours writes, or writes only for odd attributes: every AnyValue, and OTLP/JSON as others write it.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { openClickhouse } from './clickhouse.mjs';
import { openDuckdb } from './duckdb.mjs';
import { keyAt, putFile } from './objects.mjs';

const AT = new Date('2026-12-31T23:59:59Z');
const SPAN = {
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  name: 'n',
  startTimeUnixNano: '1',
  endTimeUnixNano: '2',
};

/** OTLP's JSON, and its text in the table. @type {Record<string, [object, string]>} */
const VALUES = {
  'largest int64': [{ intValue: '9223372036854775807' }, '9223372036854775807'],
  'smallest int64': [{ intValue: '-9223372036854775808' }, '-9223372036854775808'],
  'int64 beyond what doubles hold': [{ intValue: '9007199254740993' }, '9007199254740993'],
  'an integer that is no string': [{ intValue: 12 }, '12'],
  'a whole double': [{ doubleValue: 3 }, '3'],
  infinity: [{ doubleValue: '-Infinity' }, '-Infinity'],
  'not a number': [{ doubleValue: 'NaN' }, 'NaN'],
  bytes: [{ bytesValue: 'AAH/' }, 'AAH/'],
  'the empty string': [{ stringValue: '' }, ''],
  'a string like JSON': [{ stringValue: '{"intValue":"1"}' }, '{"intValue":"1"}'],
  'a list of everything': [
    {
      arrayValue: {
        values: [
          { stringValue: 'a "b",' },
          { intValue: '9007199254740993' },
          { boolValue: false },
          { doubleValue: 0.5 },
          {},
        ],
      },
    },
    '["a \\"b\\",",9007199254740993,false,0.5,null]',
  ],
  'no elements': [{ arrayValue: {} }, '[]'],
  'a map': [
    {
      kvlistValue: {
        values: [
          { key: 'k "1"', value: { stringValue: 'x' } },
          { key: 'n', value: { intValue: '-1' } },
        ],
      },
    },
    '{"k \\"1\\"":"x","n":-1}',
  ],
  'no entries': [{ kvlistValue: { values: [] } }, '{}'],
  'what is nested deeper': [
    { arrayValue: { values: [{ arrayValue: { values: [{ intValue: '1' }] } }] } },
    '[{"arrayValue":{"values":[{"intValue":"1"}]}}]',
  ],
};

/** @type {import('./duckdb.mjs').Duckdb} */
let duckdb;
/** @type {import('./clickhouse.mjs').Clickhouse} */
let clickhouse;
/** @type {string} */
let root;

before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'spandrel-engines-'));
  duckdb = await openDuckdb();
  clickhouse = await openClickhouse();
});
after(async () => {
  duckdb?.close();
  clickhouse?.close();
  await rm(root, { recursive: true, force: true });
});

/** Bodies as the only objects of a bucket. @param {(string | object)[]} bodies */
async function load(...bodies) {
  const folder = await mkdtemp(path.join(root, 'bucket-'));
  for (const [index, body] of bodies.entries()) {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    await putFile(folder, keyAt(String(index), AT), gzipSync(text));
  }
  await duckdb.load(folder);
  await clickhouse.forget();
  await clickhouse.load(folder);
}

/** @param {object} span */
const requestOf = (span) => ({ resourceSpans: [{ scopeSpans: [{ spans: [{ ...SPAN, ...span }] }] }] });

test('engines: every AnyValue has one text', async () => {
  const attributes = Object.entries(VALUES).map(([key, [value]]) => ({ key, value }));
  await load(requestOf({ attributes }));
  const expected = Object.entries(VALUES).map(([key, [, text]]) => [key, text]);
  const inDuckdb = 'SELECT unnest(map_entries(attributes), recursive := true) FROM spans';
  assert.deepEqual(await duckdb.ask(inDuckdb), expected);
  const inClickhouse = 'SELECT arrayJoin(SpanAttributes) AS entry, entry.1, entry.2 FROM otel_traces';
  assert.deepEqual(
    (await clickhouse.ask(inClickhouse)).map(([, key, text]) => [key, text]),
    expected,
  );
});

test('engines: the empty value is NULL in DuckDB, and empty in ClickHouse, whose maps hold no NULL', async () => {
  await load(requestOf({ attributes: [{ key: 'k', value: {} }] }));
  assert.deepEqual(await duckdb.ask(`SELECT attributes['k'], map_contains(attributes, 'k') FROM spans`), [
    [null, 'true'],
  ]);
  assert.deepEqual(
    await clickhouse.ask(`SELECT SpanAttributes['k'], mapContains(SpanAttributes, 'k') FROM otel_traces`),
    [['', '1']],
  );
});

test('engines: OTLP/JSON as others write it', async () => {
  const span = {
    ...SPAN,
    traceId: 'AB'.repeat(16),
    spanId: 'CD'.repeat(8),
    parentSpanId: 'EF'.repeat(8),
    startTimeUnixNano: 1_000_000_000,
    endTimeUnixNano: 1_000_000_500,
    kind: 4,
    fromALaterVersion: { nested: [1] },
    attributes: [
      { key: 'k', value: { stringValue: 'first' } },
      { key: 'k', value: { stringValue: 'second' } },
    ],
  };
  const pretty = JSON.stringify(
    { resourceSpans: [{ scopeSpans: [{ spans: [span] }], schemaUrl: 'x' }], more: 1 },
    null,
    2,
  );
  await load(pretty, '{}', { resourceSpans: [] }, { resourceSpans: [{ scopeSpans: [{ spans: [] }] }, {}] });
  const expected = [
    'ab'.repeat(16),
    'cd'.repeat(8),
    'ef'.repeat(8),
    '1000000000',
    '500',
    'producer',
    'first',
  ];
  assert.deepEqual(
    await duckdb.ask(
      `SELECT trace_id, span_id, parent_span_id, epoch_ns(start_time), duration_ns, kind, attributes['k'] FROM spans`,
    ),
    [expected],
  );
  assert.deepEqual(
    await clickhouse.ask(`SELECT TraceId, SpanId, ParentSpanId, toUnixTimestamp64Nano(Timestamp), Duration, lower(SpanKind),
      SpanAttributes['k'] FROM otel_traces`),
    [expected],
  );
});

test('engines: a parent that is written as empty is none', async () => {
  await load(requestOf({ parentSpanId: '' }));
  assert.deepEqual(await duckdb.ask('SELECT parent_span_id FROM spans'), [[null]]);
  assert.deepEqual(await clickhouse.ask('SELECT ParentSpanId FROM otel_traces'), [['']]);
});

test('engines: a span that ends before it begins has no duration', async () => {
  await load(requestOf({ startTimeUnixNano: '2', endTimeUnixNano: '1' }));
  assert.deepEqual(await duckdb.ask('SELECT duration_ns FROM spans'), [['0']]);
  assert.deepEqual(await clickhouse.ask('SELECT Duration FROM otel_traces'), [['0']]);
});
