import { requireTool } from '../support/tools.mjs';
import { readRecipe } from './recipe.mjs';

/** What stands in the recipe for the place where objects are. */
const OBJECTS = "'traces/otlp/v1/*/*/year=*/month=*/day=*/hour=*/minute=*/traces_*.json.gz'";

/** @typedef {Awaited<ReturnType<typeof openDuckdb>>} Duckdb */

/** DuckDB in this process, in memory. */
export async function openDuckdb() {
  const { DuckDBInstance } = requireTool('@duckdb/node-api');
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  const run = (/** @type {string} */ sql) => connection.run(sql);
  /** @param {string} sql @returns {Promise<(string | null)[][]>} every value as text */
  const ask = async (sql) =>
    (await connection.runAndReadAll(sql))
      .getRowsJson()
      .map((/** @type {unknown[]} */ row) => row.map((value) => (value === null ? null : String(value))));
  return {
    run,
    ask,
    /**
     * Runs the recipe on a folder that holds objects under their keys.
     *
     * @param {string} folder
     * @param {Record<string, string>} [changes] of the recipe.
     */
    load: async (folder, changes = {}) =>
      run(
        await readRecipe('duckdb-spans.sql', {
          [OBJECTS]: `'${folder}/otlp/v1/*/*/*/*/*/*/*/traces_*.json.gz'`,
          ...changes,
        }),
      ),
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}
