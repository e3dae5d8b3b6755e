/** A DuckDB in memory that holds what the objects told. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DuckDbApi, DuckDbAppender } from '../../duckdb.js';
import { type Ask, createAsk } from './questions.js';
import { type Facts, type Row, TABLES } from './tables.js';

/** Rows of a chunk: what DuckDB takes at a time. */
const CHUNK_ROWS = 2_048;
/** What does not fit goes to the folder of the system's temporary files. */
const MEMORY_LIMIT = '1GB';

export interface Database {
  /** Adds what an object told. */
  add(facts: Facts): void;
  /** Runs `work` when all that was added counts, one at a time. */
  use<T>(work: (ask: Ask) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** @param questions folder of the SQL files. */
export async function openDatabase(api: DuckDbApi, questions: string): Promise<Database> {
  const spill = await mkdtemp(path.join(tmpdir(), 'spandrel-overview-'));
  const instance = await api.DuckDBInstance.create(':memory:', {
    memory_limit: MEMORY_LIMIT,
    temp_directory: spill,
    preserve_insertion_order: 'false',
    // Questions read tables, and nothing else: no file, no address.
    enable_external_access: 'false',
  });
  const connection = await instance.connect();
  for (const [name, columns] of Object.entries(TABLES))
    await connection.run(`CREATE TABLE read_${name} (${columns})`);
  const ask = createAsk(api, connection, questions);
  const names = Object.keys(TABLES) as (keyof Facts)[];
  const waiting = Object.fromEntries(names.map((name) => [name, [] as Row[]])) as unknown as Facts;
  let isPrepared = false;
  let last: Promise<unknown> = Promise.resolve();

  const append = async (): Promise<void> => {
    for (const name of names) {
      const rows = waiting[name].splice(0);
      if (!rows.length) continue;
      isPrepared = false;
      const appender = await connection.createAppender(`read_${name}`);
      appendRows(api, appender, rows);
      appender.closeSync();
    }
  };
  const prepare = async (): Promise<void> => {
    await append();
    if (!isPrepared) await ask('prepare');
    isPrepared = true;
  };
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work, work);
    last = turn.catch(() => undefined);
    return turn;
  };

  return {
    add(facts) {
      for (const name of names) for (const row of facts[name]) waiting[name].push(row);
      if (waiting.attributes.length > 100_000) void inTurn(append).catch(() => undefined);
    },
    use: (work) =>
      inTurn(async () => {
        await prepare();
        return work(ask);
      }),
    async close() {
      await last;
      connection.closeSync();
      instance.closeSync();
      await rm(spill, { recursive: true, force: true });
    },
  };
}

function appendRows(api: DuckDbApi, appender: DuckDbAppender, rows: Row[]): void {
  const types = Array.from({ length: appender.columnCount }, (_, index) => appender.columnType(index));
  for (let at = 0; at < rows.length; at += CHUNK_ROWS) {
    const chunk = api.DuckDBDataChunk.create(types);
    chunk.setRows(rows.slice(at, at + CHUNK_ROWS));
    appender.appendDataChunk(chunk);
  }
}
