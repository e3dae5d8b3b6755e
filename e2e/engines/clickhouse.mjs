import { requireTool } from '../support/tools.mjs';
import { readRecipe, statementsOf } from './recipe.mjs';

/** What stands in the recipe for the place where objects are. */
const SOURCE = /s3\([^)]*\)/;

/** @typedef {Awaited<ReturnType<typeof openClickhouse>>} Clickhouse */

/**
 * ClickHouse in this process, with the tables of the recipe. There is one in a process, at most.
 *
 * @param {string[]} [args] Of its command line.
 */
export async function openClickhouse(args = []) {
  const { Session } = requireTool('chdb');
  const session = new Session(undefined, {
    connectionArgs: ['--output_format_json_quote_64bit_integers=1', ...args],
  });
  // Off the main thread: a server that it reads from may live in this process.
  const run = (/** @type {string} */ sql) => session.queryAsync(sql, { format: 'TabSeparated' });
  for (const statement of statementsOf(await readRecipe('clickhouse-tables.sql'))) await run(statement);
  const insert = statementsOf(await readRecipe('clickhouse-insert.sql')).join();
  return {
    run,
    /** @param {string} sql @returns {Promise<(string | null)[][]>} every value as text */
    async ask(sql) {
      const answer = await session.queryAsync(sql, { format: 'JSONCompactEachRow' });
      const lines = answer.text().split('\n').filter(Boolean);
      return lines.map((/** @type {string} */ line) =>
        JSON.parse(line).map((/** @type {unknown} */ value) => (value === null ? null : String(value))),
      );
    },
    /** Runs the recipe on another source. @param {string} source A table function. */
    loadFrom: (source) => run(insert.replace(SOURCE, () => source)),
    /** Runs the recipe on a folder that holds objects under their keys. @param {string} folder */
    load: (folder) =>
      run(insert.replace(SOURCE, () => `file('${folder}/otlp/v1/**/traces_*.json.gz', 'JSONEachRow')`)),
    forget: () => run('TRUNCATE TABLE otel_traces'),
    close: () => session.cleanup(),
  };
}
