-- What was thrown, as groups of one type, message without its numbers and ids, and first frame: the 50 that most
-- sessions met.
WITH
  met AS (
    SELECT e.*, c.session AS session, c.person AS person, c.release AS release, c.weight AS weight,
      first_value(c.release) OVER (PARTITION BY type, message, frame ORDER BY first_at) AS since
    FROM errors e JOIN chosen c ON e.trace = c.trace),
  grouped AS (
    SELECT type, message, frame, sum(times) AS seen, sum(times * weight) AS count, count(DISTINCT trace) AS traces,
      count(DISTINCT session) AS sessions, count(DISTINCT person) AS users,
      min(first_at) AS first_at, max(last_at) AS last_at,
      count(DISTINCT release) AS releases, min(since) AS since,
      min(example) AS example
    FROM met GROUP BY type, message, frame)
SELECT * FROM grouped ORDER BY sessions DESC, count DESC, type, message, frame LIMIT 50;
