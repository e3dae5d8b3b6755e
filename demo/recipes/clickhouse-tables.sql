-- ClickHouse 24.8 and later: a place to put objects, and the table of spans that they become. Columns, names and values
-- are those of the OpenTelemetry Collector's ClickHouse exporter, so that Grafana's plugin (OTel on) reads it as it is.

-- A span may arrive twice: by a page that never saw an answer, or because an object is read again. The sorting key ends
-- in its ids, so that merges keep one row; `FINAL` does at once.
CREATE TABLE IF NOT EXISTS otel_traces (
  Timestamp DateTime64(9) CODEC(Delta, ZSTD(1)),
  TraceId String CODEC(ZSTD(1)),
  SpanId String CODEC(ZSTD(1)),
  ParentSpanId String CODEC(ZSTD(1)),
  TraceState String CODEC(ZSTD(1)),
  SpanName LowCardinality(String) CODEC(ZSTD(1)),
  SpanKind LowCardinality(String) CODEC(ZSTD(1)),
  ServiceName LowCardinality(String) CODEC(ZSTD(1)),
  ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  ScopeName String CODEC(ZSTD(1)),
  ScopeVersion String CODEC(ZSTD(1)),
  SpanAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  Duration UInt64 CODEC(ZSTD(1)),
  StatusCode LowCardinality(String) CODEC(ZSTD(1)),
  StatusMessage String CODEC(ZSTD(1)),
  Events Nested (
    Timestamp DateTime64(9),
    Name LowCardinality(String),
    Attributes Map(LowCardinality(String), String)
  ) CODEC(ZSTD(1)),
  Links Nested (
    TraceId String,
    SpanId String,
    TraceState String,
    Attributes Map(LowCardinality(String), String)
  ) CODEC(ZSTD(1)),
  INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX idx_res_attr_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_span_attr_key mapKeys(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_span_attr_value mapValues(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_duration Duration TYPE minmax GRANULARITY 1
) ENGINE = ReplacingMergeTree
PARTITION BY toDate(Timestamp)
ORDER BY (ServiceName, SpanName, toDateTime(Timestamp), TraceId, SpanId)
-- TTL toDateTime(Timestamp) + INTERVAL 30 DAY, where the table is to forget.
SETTINGS ttl_only_drop_parts = 1;

-- When a trace was, which the plugin asks before it looks for its spans.
CREATE TABLE IF NOT EXISTS otel_traces_trace_id_ts (
  TraceId String CODEC(ZSTD(1)),
  Start DateTime CODEC(Delta, ZSTD(1)),
  End DateTime CODEC(Delta, ZSTD(1)),
  INDEX idx_trace_id TraceId TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = MergeTree
PARTITION BY toDate(Start)
ORDER BY (TraceId, Start);

CREATE MATERIALIZED VIEW IF NOT EXISTS otel_traces_trace_id_ts_mv TO otel_traces_trace_id_ts AS
SELECT TraceId, min(Timestamp) AS Start, max(Timestamp) AS End
FROM otel_traces
WHERE TraceId != ''
GROUP BY TraceId;

-- An AnyValue, here the text of its JSON, as text. Integers keep all their digits, bytes are base64; lists and maps
-- become JSON, and what is nested in their elements stays as OTLP writes it.
CREATE FUNCTION IF NOT EXISTS otlp_scalar AS (v) -> if(JSONHas(v, 'stringValue'), JSONExtractString(v, 'stringValue'),
  trim(BOTH '"' FROM JSONExtractRaw(v, JSONExtractKeys(v)[1])));
CREATE FUNCTION IF NOT EXISTS otlp_element AS (v) -> multiIf(
  v = '{}', 'null',
  JSONHas(v, 'intValue'), trim(BOTH '"' FROM JSONExtractRaw(v, 'intValue')),
  JSONHas(v, 'arrayValue') OR JSONHas(v, 'kvlistValue'), v,
  JSONExtractRaw(v, JSONExtractKeys(v)[1]));
CREATE FUNCTION IF NOT EXISTS otlp_value AS (v) -> multiIf(
  JSONHas(v, 'arrayValue'), concat('[', arrayStringConcat(
    arrayMap(e -> otlp_element(e), JSONExtractArrayRaw(v, 'arrayValue', 'values')), ','), ']'),
  JSONHas(v, 'kvlistValue'), concat('{', arrayStringConcat(
    arrayMap(e -> concat(JSONExtractRaw(e, 'key'), ':', otlp_element(JSONExtractRaw(e, 'value'))),
      JSONExtractArrayRaw(v, 'kvlistValue', 'values')), ','), '}'),
  otlp_scalar(v));
CREATE FUNCTION IF NOT EXISTS otlp_map AS (attributes) ->
  mapFromArrays(arrayMap(a -> a.1, attributes), arrayMap(a -> otlp_value(a.2), attributes));

-- Objects go in here, one row each; nothing is kept of them but what the view below makes.
CREATE TABLE IF NOT EXISTS otlp_objects (
  resourceSpans Array(Tuple(
    resource Tuple(attributes Array(Tuple(key String, value String))),
    scopeSpans Array(Tuple(
      scope Tuple(name String, version String),
      spans Array(Tuple(
        traceId String, spanId String, parentSpanId String, traceState String,
        name String, kind UInt8, startTimeUnixNano Int64, endTimeUnixNano Int64,
        attributes Array(Tuple(key String, value String)),
        events Array(Tuple(
          timeUnixNano Int64, name String, attributes Array(Tuple(key String, value String)))),
        links Array(Tuple(
          traceId String, spanId String, traceState String, attributes Array(Tuple(key String, value String)))),
        status Tuple(code UInt8, message String)))))))
) ENGINE = Null;

CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_objects_mv TO otel_traces AS
WITH
  resource_spans AS (SELECT arrayJoin(resourceSpans) AS r FROM otlp_objects),
  scope_spans AS (SELECT r.resource AS resource, arrayJoin(r.scopeSpans) AS s FROM resource_spans),
  raw AS (SELECT resource, s.scope AS scope, arrayJoin(s.spans) AS span FROM scope_spans)
SELECT
  fromUnixTimestamp64Nano(span.startTimeUnixNano) AS Timestamp,
  lower(span.traceId) AS TraceId,
  lower(span.spanId) AS SpanId,
  lower(span.parentSpanId) AS ParentSpanId,
  span.traceState AS TraceState,
  span.name AS SpanName,
  ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'][span.kind + 1] AS SpanKind,
  ResourceAttributes['service.name'] AS ServiceName,
  otlp_map(resource.attributes) AS ResourceAttributes,
  scope.name AS ScopeName,
  scope.version AS ScopeVersion,
  otlp_map(span.attributes) AS SpanAttributes,
  greatest(span.endTimeUnixNano - span.startTimeUnixNano, 0) AS Duration,
  ['Unset', 'Ok', 'Error'][span.status.code + 1] AS StatusCode,
  span.status.message AS StatusMessage,
  arrayMap(e -> fromUnixTimestamp64Nano(e.timeUnixNano), span.events) AS `Events.Timestamp`,
  arrayMap(e -> e.name, span.events) AS `Events.Name`,
  arrayMap(e -> otlp_map(e.attributes), span.events) AS `Events.Attributes`,
  arrayMap(l -> lower(l.traceId), span.links) AS `Links.TraceId`,
  arrayMap(l -> lower(l.spanId), span.links) AS `Links.SpanId`,
  arrayMap(l -> l.traceState, span.links) AS `Links.TraceState`,
  arrayMap(l -> otlp_map(l.attributes), span.links) AS `Links.Attributes`
FROM raw;
