-- The 100 traces behind a figure, the worst first: those with a web vital of a range of values, with an error, with a
-- request, or with an activity on a route. What is empty does not choose.
WITH
  measured AS (
    SELECT v.trace AS trace, max(v.value) AS value FROM vitals v
    WHERE {figure:String} = 'vital' AND v.name = {name:String} AND v.value >= {low:Float64} AND v.value < {high:Float64}
    GROUP BY v.trace
    UNION ALL
    SELECT trace, max(times) FROM errors
    WHERE {figure:String} = 'error' AND type = {name:String} AND message = {message:String} AND frame = {frame:String}
    GROUP BY trace
    UNION ALL
    SELECT trace, max(duration) FROM requests
    WHERE {figure:String} = 'request' AND method = {name:String} AND target = {target:String}
      AND (failed OR {only:String} <> 'failed')
    GROUP BY trace
    UNION ALL
    SELECT trace, max(duration) FROM activities
    WHERE {figure:String} = 'activity' AND kind = {name:String} AND coalesce(route, '') = {target:String}
    GROUP BY trace
    UNION ALL
    SELECT trace, finish - start FROM chosen WHERE {figure:String} = 'trace')
SELECT c.trace AS trace, c.name AS name, c.start AS start, c.finish - c.start AS duration, c.spans AS spans,
  c.service AS service, c.session AS session, c.route AS route, c.browser AS browser, c.release AS release,
  m.value AS value, count(*) OVER () AS found
FROM measured m JOIN chosen c ON m.trace = c.trace
ORDER BY value DESC, start DESC, trace LIMIT 100;
