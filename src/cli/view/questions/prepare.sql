-- DuckDB: of what the objects told, each thing once; and of what one page says of all its traces, the same for each of them.

-- A browser tells of itself as its page loads; its clicks and errors say the session only.
CREATE OR REPLACE TEMP TABLE sessions AS
SELECT session, any_value(browser) AS browser, any_value(os) AS os, any_value(device) AS device,
  any_value(country) AS country, any_value(release) AS release
FROM read_parts WHERE session IS NOT NULL GROUP BY session;

-- A trace may lie in several objects.
CREATE OR REPLACE TABLE traces AS
WITH joined AS (
  SELECT trace, min(start) AS start, max(finish) AS finish, sum(spans)::INTEGER AS spans,
    coalesce(arg_min(name, start), 'Part of a trace') AS name,
    arg_min(session, start) AS session, arg_min(person, start) AS person, arg_min(route, start) AS route,
    arg_min(service, start) AS service, arg_min(release, start) AS release, arg_min(browser, start) AS browser,
    arg_min(os, start) AS os, arg_min(device, start) AS device, arg_min(country, start) AS country,
    coalesce(max(weight), 1) AS weight
  FROM read_parts GROUP BY trace)
SELECT j.trace, start, finish, spans, name, j.session AS session, person, route, service,
  coalesce(j.release, s.release) AS release, coalesce(j.browser, s.browser) AS browser, coalesce(j.os, s.os) AS os,
  coalesce(j.device, s.device) AS device, coalesce(j.country, s.country) AS country, weight
FROM joined j LEFT JOIN sessions s ON j.session = s.session;

-- CLS and INP are reported again as they grow: the last report of an id counts.
CREATE OR REPLACE TABLE vitals AS
SELECT * FROM read_vitals
QUALIFY row_number() OVER (PARTITION BY name, id ORDER BY moment DESC, value DESC) = 1;

CREATE OR REPLACE TABLE requests AS
SELECT * FROM read_requests QUALIFY row_number() OVER (PARTITION BY trace, span) = 1;

CREATE OR REPLACE TABLE activities AS
SELECT * FROM read_activities QUALIFY row_number() OVER (PARTITION BY trace, span) = 1;

-- What was thrown is recorded on its way up as well: in one trace, the span that tells of it most often counts.
CREATE OR REPLACE TABLE errors AS
WITH
  once AS (SELECT DISTINCT * FROM read_errors),
  told AS (
    SELECT trace, span, type, message, frame, count(*) AS times, min(moment) AS first_at, max(moment) AS last_at,
      min(example) AS example
    FROM once GROUP BY ALL)
SELECT trace, type, message, frame, max(times) AS times, min(first_at) AS first_at, max(last_at) AS last_at,
  min(example) AS example
FROM told GROUP BY trace, type, message, frame;

-- Up to which value a vital is good, and over which it is poor: https://web.dev/articles/defining-core-web-vitals-thresholds
CREATE OR REPLACE TABLE bounds AS
SELECT * FROM (VALUES
  ('LCP', 2500, 4000), ('INP', 200, 500), ('CLS', 0.1, 0.25), ('FCP', 1800, 3000), ('TTFB', 800, 1800)
) AS of(name, good, poor);
