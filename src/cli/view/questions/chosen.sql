-- DuckDB: the traces that the range of time and the filters choose, which all questions are asked of. A filter is a key
-- and a value: one of the trace's own columns, or an attribute of any of its spans or of its resource.
CREATE OR REPLACE TEMP TABLE chosen AS
WITH
  wanted AS (SELECT unnest({keys:Array(String)}) AS key, unnest({values:Array(String)}) AS value),
  ranged AS (SELECT * FROM traces WHERE start >= {from:Float64} AND start < {until:Float64}),
  told AS (
    SELECT trace, unnest(['route', 'release', 'browser', 'os', 'device', 'country', 'service', 'session', 'user']) AS key,
      unnest([route, release, browser, os, device, country, service, session, person]) AS value
    FROM ranged WHERE len({keys:Array(String)}) > 0),
  matches AS (
    SELECT t.trace, t.key, t.value FROM told t JOIN wanted w ON t.key = w.key AND t.value = w.value
    UNION
    SELECT a.trace, a.key, a.value FROM read_attributes a JOIN wanted w ON a.key = w.key AND a.value = w.value),
  passed AS (
    SELECT trace FROM matches GROUP BY trace HAVING count(*) = (SELECT count(*) FROM (SELECT DISTINCT * FROM wanted)))
SELECT * FROM ranged
WHERE len({keys:Array(String)}) = 0 OR trace IN (SELECT trace FROM passed);
