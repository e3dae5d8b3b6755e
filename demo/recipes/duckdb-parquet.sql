-- DuckDB 1.5: the table of duckdb-spans.sql as Parquet, a folder for each day on which spans began. Some hundred small
-- objects become one file, a twentieth of what gzip left of them; any engine reads it.
COPY (SELECT *, start_time::DATE AS day FROM spans ORDER BY service, start_time)
TO 'spans' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (day), OVERWRITE_OR_IGNORE);
-- SELECT … FROM read_parquet('spans/*/*.parquet') WHERE day = DATE '2026-11-21'
