-- The 30 slowest routes, by p75 of how long a load of them, a change to them or a click on them took. They are looked for
-- among the 500 with most of these.
WITH
  done AS (
    SELECT a.kind AS kind, coalesce(a.route, '') AS route, a.duration AS duration, c.weight AS weight
    FROM activities a JOIN chosen c ON a.trace = c.trace),
  largest AS (
    SELECT kind, route, sum(weight) AS size FROM done GROUP BY kind, route ORDER BY size DESC, route, kind LIMIT 500),
  ranked AS (
    SELECT d.*,
      sum(d.weight) OVER (PARTITION BY d.kind, d.route ORDER BY d.duration) AS upto,
      sum(d.weight) OVER (PARTITION BY d.kind, d.route) AS whole
    FROM done d JOIN largest l ON d.kind = l.kind AND d.route = l.route)
SELECT
  kind,
  route,
  count(*) AS seen,
  sum(weight) AS count,
  min(CASE WHEN upto >= whole * 0.5 * (1 - 1e-9) THEN duration END) AS p50,
  min(CASE WHEN upto >= whole * 0.75 * (1 - 1e-9) THEN duration END) AS p75,
  min(CASE WHEN upto >= whole * 0.95 * (1 - 1e-9) THEN duration END) AS p95
FROM ranked GROUP BY kind, route ORDER BY p75 DESC, count DESC, route, kind LIMIT 30;
