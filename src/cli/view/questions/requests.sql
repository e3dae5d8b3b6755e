-- The 30 kinds of request that are slowest, by p75, or fail most. Slow ones are looked for among the 500 with the longest.
WITH
  sent AS (
    SELECT r.method AS method, r.target AS target, r.duration AS duration, r.failed AS failed, c.weight AS weight
    FROM requests r JOIN chosen c ON r.trace = c.trace),
  sized AS (
    SELECT method, target, count(*) AS seen, sum(weight) AS count,
      sum(CASE WHEN failed THEN weight ELSE 0 END) AS failed, max(duration) AS longest
    FROM sent GROUP BY method, target),
  -- A million targets are bounded before each is ranked.
  likely AS (
    SELECT * FROM sized WHERE {order:String} = 'slow' OR failed > 0
    ORDER BY CASE WHEN {order:String} = 'slow' THEN longest ELSE failed END DESC, count DESC, target, method LIMIT 500),
  ranked AS (
    SELECT s.*,
      sum(s.weight) OVER (PARTITION BY s.method, s.target ORDER BY s.duration) AS upto,
      sum(s.weight) OVER (PARTITION BY s.method, s.target) AS whole
    FROM sent s JOIN likely l ON s.method = l.method AND s.target = l.target)
SELECT
  method,
  target,
  count(*) AS seen,
  sum(weight) AS count,
  sum(CASE WHEN failed THEN weight ELSE 0 END) AS failed,
  min(CASE WHEN upto >= whole * 0.5 * (1 - 1e-9) THEN duration END) AS p50,
  min(CASE WHEN upto >= whole * 0.75 * (1 - 1e-9) THEN duration END) AS p75,
  min(CASE WHEN upto >= whole * 0.95 * (1 - 1e-9) THEN duration END) AS p95
FROM ranked GROUP BY method, target
ORDER BY CASE WHEN {order:String} = 'slow' THEN p75 ELSE sum(CASE WHEN failed THEN weight ELSE 0 END) END DESC,
  count DESC, target, method
LIMIT 30;
