-- Of each web vital how many lie in each tenth of what is good, up to three times that; the 31st bin has no upper end.
SELECT
  v.name AS name,
  least(floor(v.value * 10 / b.good), 30) AS bin,
  sum(c.weight) AS count
FROM vitals v JOIN chosen c ON v.trace = c.trace JOIN bounds b ON v.name = b.name
GROUP BY 1, 2 ORDER BY 1, 2;
