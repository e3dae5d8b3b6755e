import { DUCKDB, loadDuckDb } from '../duckdb.js';
import { usageError } from '../failure.js';

export interface DuckDb {
  run(sql: string): Promise<void>;
  close(): void;
}

/**
 * DuckDB in this process, in bounded memory.
 *
 * @param folder where it puts what does not fit.
 * @throws {CliError} when it is not installed.
 */
export async function openDuckDb(folder: string): Promise<DuckDb> {
  const api = await loadDuckDb();
  if (!api) throw usageError(`--parquet needs DuckDB, which is not installed: npm install ${DUCKDB}`);
  const instance = await api.DuckDBInstance.create(':memory:', {
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
