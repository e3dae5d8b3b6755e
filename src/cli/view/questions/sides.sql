-- What one can filter by: of each of a trace's own columns the 20 values that most traces have.
WITH
  told AS (
    SELECT 'route' AS key, route AS value, weight FROM chosen UNION ALL
    SELECT 'release', release, weight FROM chosen UNION ALL
    SELECT 'browser', browser, weight FROM chosen UNION ALL
    SELECT 'os', os, weight FROM chosen UNION ALL
    SELECT 'device', device, weight FROM chosen UNION ALL
    SELECT 'country', country, weight FROM chosen UNION ALL
    SELECT 'service', service, weight FROM chosen),
  counted AS (SELECT key, value, sum(weight) AS count FROM told WHERE value IS NOT NULL GROUP BY key, value),
  ordered AS (SELECT *, row_number() OVER (PARTITION BY key ORDER BY count DESC, value) AS place FROM counted)
SELECT key, value, count FROM ordered WHERE place <= 20 ORDER BY key, place;
