-- How much there is, and when the newest trace of all began. `seen` is what was stored, `traces` what that stands for before sampling.
SELECT
  count(*) AS seen,
  coalesce(sum(weight), 0) AS traces,
  count(DISTINCT session) AS sessions,
  count(DISTINCT person) AS users,
  coalesce(sum(CASE WHEN weight > 1 THEN 1 ELSE 0 END), 0) AS sampled,
  min(start) AS first_at,
  max(start) AS last_at,
  (SELECT max(start) FROM traces WHERE start < {now:Float64}) AS newest_at
FROM chosen;
