// `npm run engines [words]`: gets DuckDB and ClickHouse, then tests the recipes with them, on the built files. Words
// choose the files whose names hold them.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ensureTool } from '../support/tools.mjs';

try {
  for (const name of ['@duckdb/node-api', 'chdb', 'wrangler', 'bun']) ensureTool(name);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
const here = fileURLToPath(new URL('./', import.meta.url));
const words = process.argv.slice(2);
/** Ceph runs on Linux only. */
const canRun = (/** @type {string} */ name) =>
  process.platform === 'linux' || !/^(bucket|operator)\./.test(name);
const files = readdirSync(here)
  .filter((name) => name.endsWith('.test.mjs') && canRun(name))
  .filter((name) => !words.length || words.some((word) => name.includes(word)));
if (!files.length) {
  console.error('no test matches');
  process.exit(1);
}
// One at a time: each engine takes all cores it finds.
const args = ['--test', '--test-concurrency=1', '--test-reporter=spec', ...files.map((name) => here + name)];
const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
process.exit(status ?? 1);
