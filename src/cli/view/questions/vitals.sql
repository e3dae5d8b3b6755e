-- Of each web vital: p75, and how many were good, in need of improvement, and poor.
WITH
  weighed AS (
    SELECT v.name AS name, v.value AS value, c.weight AS weight, b.good AS good, b.poor AS poor
    FROM vitals v JOIN chosen c ON v.trace = c.trace JOIN bounds b ON v.name = b.name),
  ranked AS (
    SELECT *, sum(weight) OVER (PARTITION BY name ORDER BY value) AS upto, sum(weight) OVER (PARTITION BY name) AS whole
    FROM weighed)
SELECT
  name,
  count(*) AS seen,
  sum(weight) AS count,
  min(CASE WHEN upto >= whole * 0.75 * (1 - 1e-9) THEN value END) AS p75,
  sum(CASE WHEN value <= good THEN weight ELSE 0 END) AS good,
  sum(CASE WHEN value > good AND value <= poor THEN weight ELSE 0 END) AS middling,
  sum(CASE WHEN value > poor THEN weight ELSE 0 END) AS poor,
  min(good) AS good_upto,
  min(poor) AS poor_over
FROM ranked GROUP BY name ORDER BY name;
