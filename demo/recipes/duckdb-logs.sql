-- DuckDB 1.5: the logs of a bucket, or of a folder that holds its objects under their keys, as a table. The macros are
-- those of duckdb-spans.sql, which is to be run before.

SET VARIABLE log_objects = 'traces/otlp/v1/*/*/year=*/month=*/day=*/hour=*/minute=*/logs_*.json.gz';

CREATE OR REPLACE TABLE logs AS
WITH
  resource_logs AS (
    SELECT filename AS object, unnest(resourceLogs) AS r
    FROM read_json(getvariable('log_objects'),
      format = 'unstructured', filename = true, hive_partitioning = true, hive_types_autocast = false,
      maximum_object_size = 134217728,
      columns = {resourceLogs: 'STRUCT(
        resource STRUCT(attributes STRUCT("key" VARCHAR, "value" JSON)[]),
        scopeLogs STRUCT(
          scope STRUCT("name" VARCHAR, "version" VARCHAR),
          logRecords STRUCT(
            timeUnixNano BIGINT, observedTimeUnixNano BIGINT, severityNumber INTEGER, severityText VARCHAR,
            body JSON, eventName VARCHAR, traceId VARCHAR, spanId VARCHAR, flags BIGINT,
            attributes STRUCT("key" VARCHAR, "value" JSON)[])[])[])[]'})
    WHERE (year || '-' || month || '-' || day || ' ' || hour || ':' || minute || ':00')::TIMESTAMP
      BETWEEN getvariable('since') AND getvariable('until')),
  scope_logs AS (SELECT object, r.resource AS resource, unnest(r.scopeLogs) AS s FROM resource_logs),
  raw AS (SELECT object, resource, s.scope AS scope, unnest(s.logRecords) AS log FROM scope_logs)
SELECT
  -- 0 says that the time is not known; then it is when the log was seen.
  make_timestamp_ns(coalesce(nullif(log.timeUnixNano, 0), log.observedTimeUnixNano)) AS time,
  coalesce(log.severityNumber, 0) AS severity_number,
  coalesce(log.severityText, '') AS severity,
  otlp_value(log.body) AS body,
  coalesce(log.eventName, '') AS event_name,
  nullif(lower(log.traceId), '') AS trace_id,
  nullif(lower(log.spanId), '') AS span_id,
  otlp_map(resource.attributes)['service.name'] AS service,
  otlp_map(log.attributes) AS attributes,
  otlp_map(resource.attributes) AS resource,
  coalesce(scope.name, '') AS scope_name,
  coalesce(scope.version, '') AS scope_version,
  object
FROM raw;
