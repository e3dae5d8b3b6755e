-- ClickHouse: what lies in the bucket for one day, once. The tables are those of clickhouse-tables.sql. All that begins
-- like the path up to its first asterisk is listed: so say project, environment and day.
INSERT INTO otlp_objects SELECT * FROM s3(
  'https://ACCOUNT_ID.r2.cloudflarestorage.com/traces/otlp/v1/default/production/year=2026/month=11/day=21/**/traces_*.json.gz',
  'ACCESS_KEY_ID', 'SECRET_ACCESS_KEY', 'JSONEachRow');
