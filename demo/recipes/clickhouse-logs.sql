-- ClickHouse 24.8 and later: logs of the bucket, beside the spans of clickhouse-tables.sql, which is to be run before.
-- Columns, names and values are those of the OpenTelemetry Collector's ClickHouse exporter.
CREATE TABLE IF NOT EXISTS otel_logs (
  Timestamp DateTime64(9) CODEC(Delta, ZSTD(1)),
  TimestampTime DateTime DEFAULT toDateTime(Timestamp),
  TraceId String CODEC(ZSTD(1)),
  SpanId String CODEC(ZSTD(1)),
  TraceFlags UInt8,
  SeverityText LowCardinality(String) CODEC(ZSTD(1)),
  SeverityNumber UInt8,
  ServiceName LowCardinality(String) CODEC(ZSTD(1)),
  Body String CODEC(ZSTD(1)),
  ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  ScopeName String CODEC(ZSTD(1)),
  ScopeVersion LowCardinality(String) CODEC(ZSTD(1)),
  LogAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  EventName String CODEC(ZSTD(1)),
  INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX idx_log_attr_key mapKeys(LogAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_log_attr_value mapValues(LogAttributes) TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = MergeTree
PARTITION BY toDate(TimestampTime)
ORDER BY (ServiceName, TimestampTime, Timestamp)
-- TTL TimestampTime + INTERVAL 30 DAY, where the table is to forget.
SETTINGS ttl_only_drop_parts = 1;

-- Objects go in here, one row each; nothing is kept of them but what the view below makes. Nothing tells one record from
-- another that says the same, so an object that is read twice is there twice.
CREATE TABLE IF NOT EXISTS otlp_log_objects (
  resourceLogs Array(Tuple(
    resource Tuple(attributes Array(Tuple(key String, value String))),
    scopeLogs Array(Tuple(
      scope Tuple(name String, version String),
      logRecords Array(Tuple(
        timeUnixNano Int64, observedTimeUnixNano Int64, severityNumber UInt8, severityText String,
        body String, eventName String, traceId String, spanId String, flags UInt32,
        attributes Array(Tuple(key String, value String))))))))
) ENGINE = Null;

CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_log_objects_mv TO otel_logs AS
WITH
  resource_logs AS (SELECT arrayJoin(resourceLogs) AS r FROM otlp_log_objects),
  scope_logs AS (SELECT r.resource AS resource, arrayJoin(r.scopeLogs) AS s FROM resource_logs),
  raw AS (SELECT resource, s.scope AS scope, arrayJoin(s.logRecords) AS log FROM scope_logs)
SELECT
  -- 0 says that the time is not known; then it is when the log was seen.
  fromUnixTimestamp64Nano(if(log.timeUnixNano = 0, log.observedTimeUnixNano, log.timeUnixNano)) AS Timestamp,
  lower(log.traceId) AS TraceId,
  lower(log.spanId) AS SpanId,
  toUInt8(bitAnd(log.flags, 255)) AS TraceFlags,
  log.severityText AS SeverityText,
  log.severityNumber AS SeverityNumber,
  ResourceAttributes['service.name'] AS ServiceName,
  if(log.body = '', '', otlp_value(log.body)) AS Body,
  otlp_map(resource.attributes) AS ResourceAttributes,
  scope.name AS ScopeName,
  scope.version AS ScopeVersion,
  otlp_map(log.attributes) AS LogAttributes,
  log.eventName AS EventName
FROM raw;

-- What lies in the bucket for one day, once.
INSERT INTO otlp_log_objects SELECT * FROM s3(
  'https://ACCOUNT_ID.r2.cloudflarestorage.com/traces/otlp/v1/default/production/year=2026/month=11/day=21/**/logs_*.json.gz',
  'ACCESS_KEY_ID', 'SECRET_ACCESS_KEY', 'JSONEachRow');
