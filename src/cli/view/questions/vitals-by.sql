-- p75 and share of good of each web vital by route, release, browser, system, device, country or service: those 50 that
-- most traces tell of. A vital's own route counts, which is where it was.
WITH
  sided AS (
    SELECT v.name AS name, v.value AS value, c.weight AS weight, b.good AS good,
      coalesce(CASE {by:String}
        WHEN 'route' THEN coalesce(v.route, c.route) WHEN 'release' THEN c.release WHEN 'browser' THEN c.browser
        WHEN 'os' THEN c.os WHEN 'device' THEN c.device WHEN 'country' THEN c.country WHEN 'service' THEN c.service
      END, '') AS side
    FROM vitals v JOIN chosen c ON v.trace = c.trace JOIN bounds b ON v.name = b.name),
  largest AS (SELECT side, sum(weight) AS size FROM sided GROUP BY side ORDER BY size DESC, side LIMIT 50),
  ranked AS (
    SELECT s.*, l.size AS size,
      sum(s.weight) OVER (PARTITION BY s.side, s.name ORDER BY s.value) AS upto,
      sum(s.weight) OVER (PARTITION BY s.side, s.name) AS whole
    FROM sided s JOIN largest l ON s.side = l.side)
SELECT
  side,
  name,
  count(*) AS seen,
  sum(weight) AS count,
  min(CASE WHEN upto >= whole * 0.75 * (1 - 1e-9) THEN value END) AS p75,
  sum(CASE WHEN value <= good THEN weight ELSE 0 END) AS good
FROM ranked GROUP BY side, name, size ORDER BY size DESC, side, name;
