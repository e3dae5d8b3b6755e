import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** As much of `@duckdb/node-api` as is used. */
export interface DuckDbApi {
  DuckDBInstance: {
    create(file: string, options: Record<string, string>): Promise<DuckDbInstance>;
  };
  DuckDBDataChunk: { create(types: readonly unknown[]): DuckDbChunk };
  listValue(items: readonly unknown[]): unknown;
  LIST(type: unknown): unknown;
  VARCHAR: unknown;
  DOUBLE: unknown;
}
interface DuckDbInstance {
  connect(): Promise<DuckDbConnection>;
  closeSync(): void;
}
interface DuckDbChunk {
  setRows(rows: readonly (readonly unknown[])[]): void;
}
export interface DuckDbConnection {
  run(sql: string): Promise<unknown>;
  runAndReadAll(
    sql: string,
    values?: Record<string, unknown>,
    types?: Record<string, unknown>,
  ): Promise<{ getRowObjectsJS(): Record<string, unknown>[] }>;
  createAppender(table: string): Promise<DuckDbAppender>;
  closeSync(): void;
}
export interface DuckDbAppender {
  columnCount: number;
  columnType(index: number): unknown;
  appendDataChunk(chunk: DuckDbChunk): void;
  closeSync(): void;
}

export const DUCKDB = '@duckdb/node-api';

/**
 * The one beside us, else that of the project that the command runs in: `npx` keeps its packages elsewhere.
 *
 * @param folders where else to look.
 * @returns undefined when it is not installed.
 */
export async function loadDuckDb(folders: string[] = [process.cwd()]): Promise<DuckDbApi | undefined> {
  const named = await import(/* @vite-ignore */ DUCKDB).catch(() => undefined);
  if (named) return named as DuckDbApi;
  for (const folder of folders) {
    try {
      const found = createRequire(path.join(folder, 'package.json')).resolve(DUCKDB);
      const loaded = (await import(pathToFileURL(found).href)) as DuckDbApi & { default?: DuckDbApi };
      return loaded.default ?? loaded;
    } catch {
      // It is looked for in the next.
    }
  }
  return undefined;
}
