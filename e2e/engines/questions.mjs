import { durationOf, grouped, quantile } from './tally.mjs';

/**
 * Questions to a table of spans, in the words of each engine, and what the answer is to be.
 *
 * @typedef {import('./rows.mjs').Row} Row
 * @typedef {(string | null)[][]} Answer Rows of texts.
 * @typedef {object} Question
 * @property {string} name
 * @property {string} duckdb
 * @property {string} clickhouse
 * @property {(rows: Row[]) => unknown[][]} answer
 */

/** One question for each attribute of the odd span. @param {string} key @returns {Question} */
const attribute = (key) => ({
  name: `the attribute ${key}`,
  duckdb: `SELECT attributes['${key}'] FROM spans WHERE map_contains(attributes, '${key}') AND name LIKE 'odd%'`,
  clickhouse: `SELECT SpanAttributes['${key}'] FROM otel_traces FINAL
    WHERE mapContains(SpanAttributes, '${key}') AND SpanName LIKE 'odd%'`,
  answer: (rows) =>
    rows
      .filter(({ name, attributes }) => name.startsWith('odd') && key in attributes)
      .map(({ attributes }) => [attributes[key]]),
});

const ATTRIBUTES = [
  'text',
  'empty',
  'yes',
  'no',
  'int',
  'negative',
  'largest',
  'double',
  'tiny',
  'texts',
  'numbers',
  'none',
  'dotted.name',
];

/** @type {Question[]} */
export const QUESTIONS = [
  {
    name: 'how many spans, and of how many traces',
    duckdb: 'SELECT count(*), count(DISTINCT trace_id) FROM spans',
    clickhouse: 'SELECT count(), uniqExact(TraceId) FROM otel_traces FINAL',
    answer: (rows) => [[rows.length, new Set(rows.map(({ traceId }) => traceId)).size]],
  },
  {
    name: 'spans by service',
    duckdb: 'SELECT service, count(*) FROM spans GROUP BY ALL ORDER BY ALL',
    clickhouse: 'SELECT ServiceName, count() FROM otel_traces FINAL GROUP BY ALL ORDER BY ALL',
    answer: (rows) =>
      grouped(rows, ({ resource }) => resource['service.name'] ?? '').map(([name, of]) => [name, of.length]),
  },
  {
    name: 'the 95th percentile of durations by service',
    duckdb:
      'SELECT service, round(quantile_cont(duration_ns, 0.95))::BIGINT FROM spans GROUP BY ALL ORDER BY ALL',
    clickhouse:
      'SELECT ServiceName, toInt64(round(quantileExactInclusive(0.95)(Duration))) FROM otel_traces FINAL GROUP BY ALL ORDER BY ALL',
    answer: (rows) =>
      grouped(rows, ({ resource }) => resource['service.name'] ?? '').map(([name, of]) => [
        name,
        quantile(of.map(durationOf), 0.95),
      ]),
  },
  {
    name: 'the slowest spans',
    duckdb: 'SELECT name, duration_ns, span_id FROM spans ORDER BY 2 DESC, 3 LIMIT 5',
    clickhouse: 'SELECT SpanName, Duration, SpanId FROM otel_traces FINAL ORDER BY 2 DESC, 3 LIMIT 5',
    answer: (rows) =>
      rows
        .map((row) => /** @type {[string, bigint, string]} */ ([row.name, durationOf(row), row.spanId]))
        .sort((a, b) => Number(b[1] - a[1]) || (a[2] < b[2] ? -1 : 1))
        .slice(0, 5),
  },
  {
    name: 'errors by route',
    duckdb: `SELECT attributes['url.template'], count(*) FROM spans WHERE status = 'error' GROUP BY ALL ORDER BY ALL`,
    clickhouse: `SELECT SpanAttributes['url.template'], count() FROM otel_traces FINAL WHERE StatusCode = 'Error' GROUP BY ALL ORDER BY ALL`,
    answer: (rows) =>
      grouped(
        rows.filter(({ status }) => status === 'error'),
        ({ attributes }) => attributes['url.template'] ?? '',
      ).map(([route, of]) => [route, of.length]),
  },
  {
    name: 'answers of servers by code, a number',
    duckdb: `SELECT attributes['http.response.status_code']::INTEGER AS code, count(*) FROM spans WHERE code >= 200 GROUP BY ALL ORDER BY ALL`,
    clickhouse: `SELECT toInt32OrZero(SpanAttributes['http.response.status_code']) AS code, count() FROM otel_traces FINAL WHERE code >= 200 GROUP BY ALL ORDER BY ALL`,
    answer: (rows) => {
      const withCode = rows.filter(({ attributes }) => attributes['http.response.status_code']);
      return grouped(withCode, ({ attributes }) => attributes['http.response.status_code'] ?? '').map(
        ([code, of]) => [code, of.length],
      );
    },
  },
  {
    name: 'spans by kind and status',
    duckdb: 'SELECT kind, status, count(*) FROM spans GROUP BY ALL ORDER BY ALL',
    clickhouse:
      'SELECT lower(SpanKind), lower(StatusCode), count() FROM otel_traces FINAL GROUP BY ALL ORDER BY ALL',
    answer: (rows) =>
      grouped(rows, ({ kind, status }) => `${kind} ${status}`).map(([key, of]) => [
        ...key.split(' '),
        of.length,
      ]),
  },
  {
    name: 'the messages of statuses',
    duckdb: `SELECT DISTINCT status_message FROM spans WHERE status_message <> '' ORDER BY ALL`,
    clickhouse: `SELECT DISTINCT StatusMessage FROM otel_traces FINAL WHERE StatusMessage != '' ORDER BY ALL`,
    answer: (rows) =>
      [...new Set(rows.map(({ statusMessage }) => statusMessage))]
        .filter(Boolean)
        .sort()
        .map((text) => [text]),
  },
  {
    name: 'spans that have no parent',
    duckdb: 'SELECT count(*) FROM spans WHERE parent_span_id IS NULL',
    clickhouse: `SELECT count() FROM otel_traces FINAL WHERE ParentSpanId = ''`,
    answer: (rows) => [[rows.filter(({ parentSpanId }) => !parentSpanId).length]],
  },
  {
    name: 'spans whose parent is not there',
    duckdb: `SELECT name, parent_span_id FROM spans AS child WHERE parent_span_id IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM spans AS parent WHERE parent.trace_id = child.trace_id AND parent.span_id = child.parent_span_id)`,
    clickhouse: `SELECT SpanName, ParentSpanId FROM otel_traces FINAL WHERE ParentSpanId != ''
      AND (TraceId, ParentSpanId) NOT IN (SELECT TraceId, SpanId FROM otel_traces FINAL)`,
    answer: (rows) => {
      const there = new Set(rows.map(({ traceId, spanId }) => traceId + spanId));
      return rows
        .filter(({ traceId, parentSpanId }) => parentSpanId && !there.has(traceId + parentSpanId))
        .map(({ name, parentSpanId }) => [name, parentSpanId]);
    },
  },
  {
    name: 'times to the nanosecond',
    duckdb: `SELECT epoch_ns(start_time), epoch_ns(end_time), duration_ns FROM spans ORDER BY ALL`,
    clickhouse: `SELECT toUnixTimestamp64Nano(Timestamp) AS begun, begun + Duration, Duration FROM otel_traces FINAL ORDER BY ALL`,
    answer: (rows) =>
      rows
        .map((row) => [row.startNanos, row.endNanos, durationOf(row)])
        .sort(([a = 0n, b = 0n], [c = 0n, d = 0n]) => Number(a - c) || Number(b - d)),
  },
  {
    name: 'names in any script, with what JSON escapes',
    duckdb: `SELECT DISTINCT name FROM spans WHERE name LIKE 'odd%' OR name LIKE '%★'  ORDER BY ALL`,
    clickhouse: `SELECT DISTINCT SpanName FROM otel_traces FINAL WHERE SpanName LIKE 'odd%' OR SpanName LIKE '%★' ORDER BY ALL`,
    answer: (rows) =>
      [...new Set(rows.map(({ name }) => name))]
        .filter((name) => /^odd|★$/.test(name))
        .sort()
        .map((name) => [name]),
  },
  {
    name: 'spans without attributes',
    duckdb: 'SELECT count(*) FROM spans WHERE cardinality(attributes) = 0',
    clickhouse: 'SELECT count() FROM otel_traces FINAL WHERE empty(SpanAttributes)',
    answer: (rows) => [[rows.filter(({ attributes }) => !Object.keys(attributes).length).length]],
  },
  {
    name: 'exceptions by type',
    duckdb: `SELECT event.attributes['exception.type'], event.attributes['exception.message'], count(*)
      FROM (SELECT unnest(events) AS event FROM spans) WHERE event.name = 'exception' GROUP BY ALL ORDER BY ALL`,
    clickhouse: `SELECT event.2['exception.type'], event.2['exception.message'], count()
      FROM (SELECT arrayJoin(arrayZip(Events.Name, Events.Attributes)) AS event FROM otel_traces FINAL) WHERE event.1 = 'exception' GROUP BY ALL ORDER BY ALL`,
    answer: (rows) => {
      const exceptions = rows.flatMap(({ events }) => events).filter(({ name }) => name === 'exception');
      return grouped(
        exceptions,
        ({ attributes }) => `${attributes['exception.type']}|${attributes['exception.message']}`,
      ).map(([key, of]) => [...key.split('|'), of.length]);
    },
  },
  {
    name: 'events, with their times and attributes',
    duckdb: `SELECT event.name, epoch_ns(event.time), event.attributes['label'] FROM (SELECT unnest(events) AS event FROM spans WHERE name LIKE 'odd%')`,
    clickhouse: `SELECT event.1, toUnixTimestamp64Nano(event.2), if(mapContains(event.3, 'label'), event.3['label'], NULL)
      FROM (SELECT arrayJoin(arrayZip(Events.Name, Events.Timestamp, Events.Attributes)) AS event FROM otel_traces FINAL WHERE SpanName LIKE 'odd%')`,
    answer: (rows) =>
      rows
        .filter(({ name }) => name.startsWith('odd'))
        .flatMap(({ events }) =>
          events.map(({ name, nanos, attributes }) => [name, nanos, attributes['label'] ?? null]),
        ),
  },
  {
    name: 'links',
    duckdb: `SELECT link.trace_id, link.span_id, link.attributes['reason'] FROM (SELECT unnest(links) AS link FROM spans)`,
    clickhouse: `SELECT link.1, link.2, if(mapContains(link.3, 'reason'), link.3['reason'], NULL)
      FROM (SELECT arrayJoin(arrayZip(Links.TraceId, Links.SpanId, Links.Attributes)) AS link FROM otel_traces FINAL)`,
    answer: (rows) =>
      rows.flatMap(({ links }) =>
        links.map(({ traceId, spanId, attributes }) => [traceId, spanId, attributes['reason'] ?? null]),
      ),
  },
  {
    name: 'scopes',
    duckdb: 'SELECT scope_name, scope_version, count(*) FROM spans GROUP BY ALL ORDER BY ALL',
    clickhouse: 'SELECT ScopeName, ScopeVersion, count() FROM otel_traces FINAL GROUP BY ALL ORDER BY ALL',
    answer: (rows) =>
      grouped(rows, ({ scope, scopeVersion }) => `${scope} ${scopeVersion}`).map(([key, of]) => [
        ...key.split(' '),
        of.length,
      ]),
  },
  {
    name: 'attributes of resources',
    duckdb: `SELECT resource['service.version'], resource['browser.mobile'], resource['process.pid'], count(*) FROM spans GROUP BY ALL ORDER BY 4`,
    clickhouse: `SELECT nullIf(ResourceAttributes['service.version'], ''), nullIf(ResourceAttributes['browser.mobile'], ''),
      nullIf(ResourceAttributes['process.pid'], ''), count() FROM otel_traces FINAL GROUP BY ALL ORDER BY 4`,
    answer: (rows) =>
      grouped(rows, ({ resource }) =>
        JSON.stringify([
          resource['service.version'] ?? null,
          resource['browser.mobile'] ?? null,
          resource['process.pid'] ?? null,
        ]),
      )
        .map(([key, of]) => [...JSON.parse(key), of.length])
        .sort((a, b) => a[3] - b[3]),
  },
  {
    name: 'the trace with the most spans, in order',
    duckdb: `WITH longest AS (SELECT trace_id FROM spans GROUP BY ALL ORDER BY count(*) DESC, trace_id LIMIT 1)
      SELECT name, kind, span_id, parent_span_id FROM spans SEMI JOIN longest USING (trace_id) ORDER BY start_time, span_id`,
    clickhouse: `WITH (SELECT TraceId FROM otel_traces FINAL GROUP BY ALL ORDER BY count() DESC, TraceId LIMIT 1) AS longest
      SELECT SpanName, lower(SpanKind), SpanId, nullIf(ParentSpanId, '') FROM otel_traces FINAL WHERE TraceId = longest ORDER BY Timestamp, SpanId`,
    answer: (rows) => {
      const [longest] = grouped(rows, ({ traceId }) => traceId).sort(([, a], [, b]) => b.length - a.length);
      return (longest?.[1] ?? [])
        .toSorted((a, b) => Number(a.startNanos - b.startNanos) || (a.spanId < b.spanId ? -1 : 1))
        .map(({ name, kind, spanId, parentSpanId }) => [name, kind, spanId, parentSpanId]);
    },
  },
  ...ATTRIBUTES.map(attribute),
];

/** As engines tell it. @param {unknown[][]} rows @returns {Answer} */
export const texts = (rows) => rows.map((row) => row.map((value) => (value === null ? null : String(value))));
