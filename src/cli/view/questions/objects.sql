-- The objects that hold a trace.
SELECT DISTINCT object FROM read_parts WHERE trace = {trace:Float64} ORDER BY object LIMIT 100;
