import { createHash } from 'node:crypto';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { BucketSettings } from '../../compact/compact-settings.js';
import { type Period, periodOf } from '../../compact/period.js';
import { readObjects } from '../../compact/read-objects.js';
import { createWorkshop, type Workshop } from '../../compact/replace.js';
import { isTraceKey } from '../../forward/folder.js';
import { listChunks } from '../../forward/listing.js';
import { patientStorage, wait } from '../../forward/patient-storage.js';
import type { StoredObject } from '../../server/storage.js';
import { type DuckDb, openDuckDb, sqlText } from './duckdb.js';
import { COLUMNS, createSpanRows } from './parquet-rows.js';

export interface ParquetOptions {
  /** First segments of the keys of what is written, outside of those that are read. */
  parquetPrefix: string;
  /** How long a day has to be over. */
  graceMillis: number;
}

/** What was made. */
export interface ParquetSummary {
  /** Days that are over: written now, and as they were. */
  days: number;
  upToDate: number;
  busy: number;
  files: number;
  bytes: number;
  spans: number;
  /** Objects that cannot be read. */
  unreadable: number;
}

/** Of one file, and of its text: DuckDB sorts and writes them in bounded memory. */
const MAX_LENGTH = 33_554_432;
const MAX_ROWS = 40_000;
const ROW_GROUP = 40_000;

/**
 * Writes the spans of each day that is over as Parquet: `{prefix}/{project}/{environment}/day=YYYY-MM-DD/spans_….parquet`,
 * sorted by service and time. A day that has got objects since is written anew; its old files go first, so that nobody
 * counts a span twice.
 *
 * @throws {CliError} without DuckDB. @throws {StorageError}
 */
export async function writeParquet(
  settings: BucketSettings,
  { parquetPrefix, graceMillis }: ParquetOptions,
): Promise<ParquetSummary> {
  const storage = patientStorage(settings.storage, settings.signal, wait);
  const workshop = createWorkshop(storage, settings);
  const summary: ParquetSummary = {
    ...{ days: 0, upToDate: 0, busy: 0, files: 0, bytes: 0, spans: 0, unreadable: 0 },
  };
  const scratch = await mkdtemp(path.join(tmpdir(), 'spandrel-parquet-'));
  let duckdb: DuckDb | undefined;
  let day: { period: Period; objects: StoredObject[] } | undefined;

  const close = async (): Promise<void> => {
    if (!day) return;
    const { period, objects } = day;
    day = undefined;
    const { endsAtMillis } = period;
    if (endsAtMillis !== undefined && endsAtMillis > settings.now() - graceMillis) return;
    const date = new Date(period.startsAtMillis).toISOString().slice(0, 10);
    const folder = `${parquetPrefix}/${period.root.split('/').slice(-2).join('/')}/day=${date}`;
    duckdb ??= await openDuckDb(scratch);
    await writeDay(folder, objects, { workshop, settings, duckdb, scratch, summary });
  };

  try {
    for await (const { folder, objects } of listChunks(storage, settings)) {
      settings.signal?.throwIfAborted();
      const period = periodOf(folder, 'day');
      const ours = objects.filter(({ key }) => isTraceKey(key));
      if (!period || ours.length === 0) continue;
      if (day?.period.folder !== period.folder || day.period.root !== period.root) await close();
      day ??= { period, objects: [] };
      for (const object of ours) day.objects.push(object);
    }
    await close();
    return summary;
  } finally {
    duckdb?.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

interface DayDeps {
  workshop: Workshop;
  settings: BucketSettings;
  duckdb: DuckDb;
  scratch: string;
  summary: ParquetSummary;
}

async function writeDay(folder: string, objects: readonly StoredObject[], deps: DayDeps): Promise<void> {
  const { workshop, settings, summary, scratch } = deps;
  const { storage } = workshop;
  const keys = objects.map(({ key }) => key).join('\n');
  const digest = createHash('sha256').update(keys).digest('hex').slice(0, 16);
  const { objects: there } = await storage.list(`${folder}/`);
  const isMade = (key: string): boolean => key.includes(`/spans_${digest}_`);
  // `spans_{digest}_{n}of{count}.parquet`
  const [, count] = /_\d+of(\d+)\.parquet$/.exec(there.find(({ key }) => isMade(key))?.key ?? '') ?? [];
  if (there.length > 0 && there.every(({ key }) => isMade(key)) && there.length === Number(count)) {
    summary.upToDate += 1;
    return;
  }
  const lease = workshop.leaseOf([folder]);
  if (!(await lease.hold())) {
    summary.busy += 1;
    return;
  }
  try {
    const files: string[] = [];
    let lines = await openLines(path.join(scratch, 'rows.ndjson'));
    const flush = async (): Promise<void> => {
      await lines.close();
      if (lines.count > 0) {
        const file = path.join(scratch, `${files.length}.parquet`);
        await deps.duckdb.run(copySql(lines.file, file, lines.longest));
        files.push(file);
      }
      summary.spans += lines.count;
    };
    let rows = createSpanRows();
    for await (const read of readObjects(objects, storage, settings)) {
      settings.signal?.throwIfAborted();
      if ('why' in read) {
        if (read.why !== 'vanished') summary.unreadable += 1;
        continue;
      }
      await lines.add(rows.of(read.request));
      if (lines.count < MAX_ROWS && lines.length < MAX_LENGTH) continue;
      await flush();
      lines = await openLines(lines.file);
      rows = createSpanRows();
    }
    await flush();
    if (!(await lease.hold())) {
      summary.busy += 1;
      return;
    }
    for (const { key } of there) await storage.delete(key);
    for (const [index, file] of files.entries()) {
      const bytes = new Uint8Array(await readFile(file));
      const key = `${folder}/spans_${digest}_${index + 1}of${files.length}.parquet`;
      await storage.put(key, bytes, { contentType: 'application/vnd.apache.parquet' });
      await rm(file);
      summary.files += 1;
      summary.bytes += bytes.length;
    }
    summary.days += 1;
  } finally {
    await lease.release();
  }
}

/** A file of lines. */
async function openLines(file: string): Promise<{
  readonly file: string;
  readonly count: number;
  /** UTF-16 units of all, and of the longest. */
  readonly length: number;
  readonly longest: number;
  add(lines: readonly string[]): Promise<void>;
  close(): Promise<void>;
}> {
  const handle = await open(file, 'w');
  let count = 0;
  let total = 0;
  let longest = 0;
  return {
    file,
    get count() {
      return count;
    },
    get length() {
      return total;
    },
    get longest() {
      return longest;
    },
    async add(lines) {
      count += lines.length;
      for (const { length } of lines) {
        total += length;
        longest = Math.max(longest, length);
      }
      if (lines.length > 0) await handle.appendFile(`${lines.join('\n')}\n`);
    },
    close: () => handle.close(),
  };
}

/** @param longest line. DuckDB sets several times that aside; a unit takes three bytes at most. */
function copySql(from: string, to: string, longest: number): string {
  const columns = Object.entries(COLUMNS).map(([name, type]) => `${name}: '${type}'`);
  return `COPY (
    SELECT * REPLACE (make_timestamp_ns(start_time_unix_nano) AS start_time_unix_nano)
    FROM read_json(${sqlText(from)}, format = 'newline_delimited', maximum_object_size = ${Math.max(3 * longest, 1_048_576)},
      columns = {${columns.join(', ')}})
    ORDER BY service_name, start_time_unix_nano
  ) TO ${sqlText(to)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP})`;
}
