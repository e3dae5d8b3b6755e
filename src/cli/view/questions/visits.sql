-- Sessions, traces and traces with an error in each step of time. A session counts in each step in which it did something.
WITH
  failed AS (SELECT DISTINCT trace FROM errors),
  stepped AS (
    SELECT floor((c.start - {from:Float64}) / {step:Float64}) AS step, coalesce(c.session, '') AS session,
      sum(c.weight) AS traces, max(c.weight) AS weight, sum(CASE WHEN f.trace IS NULL THEN 0 ELSE c.weight END) AS errors
    FROM chosen c LEFT JOIN failed f ON c.trace = f.trace GROUP BY 1, 2)
SELECT
  {from:Float64} + step * {step:Float64} AS moment,
  sum(CASE WHEN session = '' THEN 0 ELSE weight END) AS sessions,
  sum(traces) AS traces,
  sum(errors) AS errors
FROM stepped GROUP BY step ORDER BY step;
