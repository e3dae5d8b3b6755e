import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { usageError } from '../failure.js';

/** As much of `@duckdb/node-api` as is used. */
interface DuckDbApi {
  DuckDBInstance: {
    create(
      file: string,
      options: Record<string, string>,
    ): Promise<{
      connect(): Promise<{ run(sql: string): Promise<unknown>; closeSync(): void }>;
      closeSync(): void;
    }>;
  };
}

export interface DuckDb {
  run(sql: string): Promise<void>;
  close(): void;
}

const NAME = '@duckdb/node-api';

/** The one beside us, else that of the project that the command runs in: `npx` keeps its packages elsewhere. */
async function load(): Promise<DuckDbApi> {
  try {
    return (await import(NAME)) as DuckDbApi;
  } catch {
    try {
      const found = createRequire(path.join(process.cwd(), 'package.json')).resolve(NAME);
      return (await import(pathToFileURL(found).href)) as DuckDbApi;
    } catch {
      throw usageError(`--parquet needs DuckDB, which is not installed: npm install ${NAME}`);
    }
  }
}

/**
 * DuckDB in this process, in bounded memory.
 *
 * @param folder where it puts what does not fit.
 * @throws {CliError} when it is not installed.
 */
export async function openDuckDb(folder: string): Promise<DuckDb> {
  const { DuckDBInstance } = await load();
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: '384MB',
    threads: '1',
    temp_directory: folder,
    preserve_insertion_order: 'false',
  });
  const connection = await instance.connect();
  return {
    run: async (sql) => void (await connection.run(sql)),
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** A text in SQL. */
export const sqlText = (text: string): string => `'${text.replaceAll("'", "''")}'`;
