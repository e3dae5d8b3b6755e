-- ClickHouse with Keeper: takes objects from the bucket as they come, into the tables of clickhouse-tables.sql.
CREATE TABLE otlp_queue AS otlp_objects
ENGINE = S3Queue(
  'https://ACCOUNT_ID.r2.cloudflarestorage.com/traces/otlp/v1/**/traces_*.json.gz',
  'ACCESS_KEY_ID', 'SECRET_ACCESS_KEY', 'JSONEachRow')
SETTINGS
  -- Keys do not come in order: a page may upload hours after its URL was issued. `ordered` would pass such objects by.
  mode = 'unordered',
  keeper_path = '/clickhouse/s3queue/spandrel',
  -- Every poll lists all that is there, 1,000 objects a request: do not let them gather. 'move' with
  -- after_processing_move_prefix = 'done/' keeps a copy; 'tag' does not work on R2.
  after_processing = 'delete',
  -- What has been read is remembered so long and so many, and after that read again where it still lies there.
  tracked_files_limit = 1000000,
  tracked_file_ttl_sec = 1209600,
  -- An object that cannot be read is left where it lies; see system.s3queue_log.
  loading_retries = 3,
  enable_logging_to_queue_log = 1,
  polling_min_timeout_ms = 1000,
  polling_max_timeout_ms = 60000,
  polling_backoff_ms = 5000;

CREATE MATERIALIZED VIEW otlp_queue_mv TO otlp_objects AS SELECT resourceSpans FROM otlp_queue;
