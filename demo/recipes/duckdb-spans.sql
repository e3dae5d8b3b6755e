-- DuckDB 1.5: the objects of a bucket, or of a folder that holds them under their keys, as a table of spans.

-- Where they are. From R2 itself; all that begins like the path up to its first asterisk is listed:
--   INSTALL httpfs; LOAD httpfs;
--   CREATE SECRET (TYPE r2, KEY_ID '…', SECRET '…', ACCOUNT_ID '…');
--   SET VARIABLE objects = 'r2://traces/otlp/v1/default/production/year=2026/month=11/day=21/*/*/traces_*.json.gz';
SET VARIABLE objects = 'traces/otlp/v1/*/*/year=*/month=*/day=*/hour=*/minute=*/traces_*.json.gz';

-- Which folders. They tell when an object's upload URL was issued, in UTC: its spans may be some minutes older, and
-- days where they waited in a page that was offline. Files of other folders are not opened.
SET VARIABLE since = TIMESTAMP '2000-01-01 00:00:00';
SET VARIABLE until = TIMESTAMP '2100-01-01 00:00:00';

-- An AnyValue as text. Integers keep all their digits, bytes are base64; lists and maps become JSON, and what is
-- nested in their elements stays as OTLP writes it. The empty value is NULL.
CREATE OR REPLACE MACRO otlp_scalar(v) AS
  coalesce(v->>'$.stringValue', v->>'$.intValue', v->>'$.doubleValue', v->>'$.boolValue', v->>'$.bytesValue');
CREATE OR REPLACE MACRO otlp_element(v) AS CASE
  WHEN v::VARCHAR = '{}' THEN 'null'
  WHEN json_exists(v, '$.intValue') THEN v->>'$.intValue'
  ELSE coalesce(v->'$.stringValue', v->'$.doubleValue', v->'$.boolValue', v->'$.bytesValue', v)::VARCHAR END;
CREATE OR REPLACE MACRO otlp_list(texts) AS coalesce(array_to_string(texts, ','), '');
CREATE OR REPLACE MACRO otlp_value(v) AS CASE
  WHEN json_exists(v, '$.arrayValue')
    THEN '[' || otlp_list(list_transform(json_extract(v, '$.arrayValue.values[*]'), lambda e: otlp_element(e))) || ']'
  WHEN json_exists(v, '$.kvlistValue')
    THEN '{' || otlp_list(list_transform(json_extract(v, '$.kvlistValue.values[*]'),
      lambda e: json_extract(e, '$.key')::VARCHAR || ':' || otlp_element(json_extract(e, '$.value')))) || '}'
  ELSE otlp_scalar(v) END;
-- A key that comes twice keeps its first value.
CREATE OR REPLACE MACRO otlp_map(attributes) AS map_from_entries(list_transform(
  list_filter(coalesce(attributes, []), lambda a, i: list_position(list_transform(attributes, lambda b: b.key), a.key) = i),
  lambda a: {'key': a.key, 'value': otlp_value(a.value)}));

CREATE OR REPLACE TABLE spans AS
WITH
  resource_spans AS (
    SELECT filename AS object, unnest(resourceSpans) AS r
    FROM read_json(getvariable('objects'),
      format = 'unstructured', filename = true, hive_partitioning = true, hive_types_autocast = false,
      -- One object is one JSON value, unpacked at most this long.
      maximum_object_size = 134217728,
      columns = {resourceSpans: 'STRUCT(
        resource STRUCT(attributes STRUCT("key" VARCHAR, "value" JSON)[]),
        scopeSpans STRUCT(
          scope STRUCT("name" VARCHAR, "version" VARCHAR),
          spans STRUCT(
            traceId VARCHAR, spanId VARCHAR, parentSpanId VARCHAR, traceState VARCHAR, flags BIGINT,
            "name" VARCHAR, kind INTEGER, startTimeUnixNano BIGINT, endTimeUnixNano BIGINT,
            attributes STRUCT("key" VARCHAR, "value" JSON)[],
            events STRUCT(
              timeUnixNano BIGINT, "name" VARCHAR, attributes STRUCT("key" VARCHAR, "value" JSON)[])[],
            links STRUCT(
              traceId VARCHAR, spanId VARCHAR, traceState VARCHAR,
              attributes STRUCT("key" VARCHAR, "value" JSON)[])[],
            status STRUCT(code INTEGER, message VARCHAR))[])[])[]'})
    WHERE (year || '-' || month || '-' || day || ' ' || hour || ':' || minute || ':00')::TIMESTAMP
      BETWEEN getvariable('since') AND getvariable('until')),
  scope_spans AS (SELECT object, r.resource AS resource, unnest(r.scopeSpans) AS s FROM resource_spans),
  raw AS (SELECT object, resource, s.scope AS scope, unnest(s.spans) AS span FROM scope_spans),
  once AS (
    -- A span may have been stored twice: by a page that never saw an answer, or by hand.
    SELECT * FROM raw
    QUALIFY row_number() OVER (PARTITION BY lower(span.traceId), lower(span.spanId) ORDER BY object) = 1)
SELECT
  lower(span.traceId) AS trace_id,
  lower(span.spanId) AS span_id,
  nullif(lower(span.parentSpanId), '') AS parent_span_id,
  coalesce(span.traceState, '') AS trace_state,
  span.name AS name,
  ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'][coalesce(span.kind, 0) + 1] AS kind,
  make_timestamp_ns(span.startTimeUnixNano) AS start_time,
  make_timestamp_ns(span.endTimeUnixNano) AS end_time,
  greatest(span.endTimeUnixNano - span.startTimeUnixNano, 0) AS duration_ns,
  ['unset', 'ok', 'error'][coalesce(span.status.code, 0) + 1] AS status,
  coalesce(span.status.message, '') AS status_message,
  otlp_map(resource.attributes)['service.name'] AS service,
  otlp_map(span.attributes) AS attributes,
  list_transform(coalesce(span.events, []), lambda e:
    {'time': make_timestamp_ns(e.timeUnixNano), 'name': e.name, 'attributes': otlp_map(e.attributes)}) AS events,
  list_transform(coalesce(span.links, []), lambda l:
    {'trace_id': lower(l.traceId), 'span_id': lower(l.spanId), 'trace_state': coalesce(l.traceState, ''),
     'attributes': otlp_map(l.attributes)}) AS links,
  otlp_map(resource.attributes) AS resource,
  coalesce(scope.name, '') AS scope_name,
  coalesce(scope.version, '') AS scope_version,
  object
FROM once;
