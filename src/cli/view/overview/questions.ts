/** The questions are SQL files, one each. What is asked for is bound to their parameters, and never becomes SQL. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { DuckDbApi, DuckDbConnection } from '../../duckdb.js';

export type QuestionName =
  | 'prepare'
  | 'chosen'
  | 'objects'
  | 'totals'
  | 'vitals'
  | 'vital-histogram'
  | 'vitals-by'
  | 'errors'
  | 'requests'
  | 'routes'
  | 'visits'
  | 'sides'
  | 'traces';

export type Answer = Record<string, string | number | null>[];
export type Values = Record<string, string | number | readonly string[]>;
/** Asks one question; more values than it has parameters may be given. */
export type Ask = (name: QuestionName, values?: Values) => Promise<Answer>;

/** `{name:Type}` is how ClickHouse writes a parameter; DuckDB's `$name` says no type. */
const PARAMETER = /\{(\w+):(String|Float64|Array\(String\))\}/g;

/**
 * Asks a DuckDB.
 *
 * @param folder where the SQL files are.
 * @throws {TypeError} (rejects) when a parameter has no value, or one of another type.
 */
export function createAsk(api: DuckDbApi, connection: DuckDbConnection, folder: string): Ask {
  const texts = new Map<QuestionName, string>();
  const types: Record<string, unknown> = {
    String: api.VARCHAR,
    Float64: api.DOUBLE,
    'Array(String)': api.LIST(api.VARCHAR),
  };
  return async (name, values = {}) => {
    const text = texts.get(name) ?? (await readFile(path.join(folder, `${name}.sql`), 'utf8'));
    texts.set(name, text);
    const bound: Record<string, unknown> = {};
    const boundTypes: Record<string, unknown> = {};
    const sql = text.replace(PARAMETER, (_, parameter: string, type: string) => {
      const value = values[parameter];
      if (value === undefined) throw new TypeError(`${name}.sql wants a value for ${parameter}`);
      bound[parameter] = Array.isArray(value) ? api.listValue(value) : value;
      boundTypes[parameter] = types[type];
      return `$${parameter}`;
    });
    if (!Object.keys(bound).length) {
      // More than one statement, or none that answers.
      if (name === 'prepare') {
        await connection.run(sql);
        return [];
      }
      return rowsOf(await connection.runAndReadAll(sql));
    }
    return rowsOf(await connection.runAndReadAll(sql, bound, boundTypes));
  };
}

/** Counts of DuckDB are big integers; none of ours is so big. */
function rowsOf(reader: { getRowObjectsJS(): Record<string, unknown>[] }): Answer {
  return reader
    .getRowObjectsJS()
    .map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([key, value]) => [
          key,
          typeof value === 'bigint' ? Number(value) : (value as string | number | null),
        ]),
      ),
    );
}
