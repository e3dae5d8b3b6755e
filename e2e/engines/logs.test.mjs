// DuckDB and ClickHouse are asked for logs, and answer what the SDK's own records say; spans beside them are left alone.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ROOT_CONTEXT, TraceFlags, trace } from '@opentelemetry/api';
import { JsonLogsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { LoggerProvider } from '@opentelemetry/sdk-logs';
import { openClickhouse } from './clickhouse.mjs';
import { openDuckdb } from './duckdb.mjs';
import { keyAt, putFile, serializeInto } from './objects.mjs';
import { readRecipe, statementsOf } from './recipe.mjs';
import { shopSpans } from './shop-spans.mjs';

const AT = new Date('2026-11-21T09:05:00Z');
const SECONDS = AT.getTime() / 1_000;
const TRACE = '5b8efff798038103d269b633813fc60c';
const SPAN = 'eee19b7ec3c1b174';

/** @returns {import('@opentelemetry/sdk-logs').ReadableLogRecord[]} */
function records() {
  /** @type {import('@opentelemetry/sdk-logs').ReadableLogRecord[]} */
  const emitted = [];
  const provider = new LoggerProvider({
    resource: resourceFromAttributes({ 'service.name': 'warehouse' }),
    processors: [
      {
        onEmit: (record) => void emitted.push(record),
        forceFlush: async () => {},
        shutdown: async () => {},
      },
    ],
  });
  const logger = provider.getLogger('stock', '1.0.0');
  const spanContext = { traceId: TRACE, spanId: SPAN, traceFlags: TraceFlags.SAMPLED };
  const context = trace.setSpanContext(ROOT_CONTEXT, spanContext);
  /** @param {number} nanos @returns {[number, number]} */
  const at = (nanos) => [SECONDS, nanos];
  logger.emit({
    body: 'held',
    severityNumber: 9,
    severityText: 'INFO',
    attributes: { left: 9_007_199_254_740_991, shelf: 'ä' },
    timestamp: at(1),
    context,
  });
  logger.emit({ body: { left: 3, shelves: 2.5 }, severityNumber: 13, timestamp: at(2) });
  logger.emit({ eventName: 'stock.gone', severityNumber: 17, timestamp: at(3), context });
  return emitted;
}

const EXPECTED = [
  [`${SECONDS}000000001`, '9', 'INFO', 'held', '', TRACE, SPAN, 'warehouse', '9007199254740991', 'stock'],
  [`${SECONDS}000000002`, '13', '', '{"left":3,"shelves":2.5}', '', '', '', 'warehouse', '', 'stock'],
  [`${SECONDS}000000003`, '17', '', '', 'stock.gone', TRACE, SPAN, 'warehouse', '', 'stock'],
];

/** @type {string} */
let root;
/** @type {string[]} */
const keys = [];
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'spandrel-engines-logs-'));
  await serializeInto(root, shopSpans(3), AT);
  const made = records();
  for (const [index, some] of [made.slice(0, 2), made.slice(2)].entries()) {
    const key = keyAt(String(index), AT).replace('traces_', 'logs_');
    keys.push(key);
    await putFile(root, key, gzipSync(JsonLogsSerializer.serializeRequest(some) ?? new Uint8Array()));
  }
});
after(() => rm(root, { recursive: true, force: true }));

test('logs in DuckDB: each record is a row, and spans are none', async () => {
  const duckdb = await openDuckdb();
  try {
    await duckdb.load(root);
    await duckdb.run(
      await readRecipe('duckdb-logs.sql', {
        "'traces/otlp/v1/*/*/year=*/month=*/day=*/hour=*/minute=*/logs_*.json.gz'": `'${root}/otlp/v1/*/*/*/*/*/*/*/logs_*.json.gz'`,
      }),
    );
    const rows = await duckdb.ask(
      `SELECT epoch_ns(time), severity_number, severity, coalesce(body, ''), event_name, coalesce(trace_id, ''),
        coalesce(span_id, ''), service, coalesce(attributes['left'], ''), scope_name FROM logs ORDER BY time`,
    );
    assert.deepEqual(rows, EXPECTED);
    const [[spans] = []] = await duckdb.ask('SELECT count(*) FROM spans');
    assert.equal(Number(spans), shopSpans(3).length);
  } finally {
    duckdb.close();
  }
});

test('logs in ClickHouse: each record is a row, and spans are none', async () => {
  const clickhouse = await openClickhouse();
  try {
    await clickhouse.load(root);
    for (const statement of statementsOf(await readRecipe('clickhouse-logs.sql'))) {
      const source = `file('${root}/otlp/v1/**/logs_*.json.gz', 'JSONEachRow')`;
      await clickhouse.run(statement.replace(/s3\([^)]*\)/, () => source));
    }
    const rows = await clickhouse.ask(
      `SELECT toUnixTimestamp64Nano(Timestamp), SeverityNumber, SeverityText, Body, EventName, TraceId, SpanId,
        ServiceName, LogAttributes['left'], ScopeName FROM otel_logs ORDER BY Timestamp`,
    );
    assert.deepEqual(rows, EXPECTED);
    const [[spans] = []] = await clickhouse.ask('SELECT count() FROM otel_traces FINAL');
    assert.equal(Number(spans), shopSpans(3).length);
  } finally {
    clickhouse.close();
  }
});
