// One variant of `compact-bench.mjs`, alone in its process.
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { writeParquet } from '../../.cache/esm/cli/compact/parquet.js';
import { checkBucketOptions } from '../../.cache/esm/compact/compact-settings.js';
import { compact } from '../../dist/compact.js';
import { openDuckdb } from '../engines/duckdb.mjs';
import { readRecipe } from '../engines/recipe.mjs';

const [variant = '', folder = ''] = process.argv.slice(2);

/** A folder as a bucket. */
const storage = {
  /** @param {string} prefix @param {{ cursor?: string, after?: string }} [from] */
  async list(prefix, { cursor, after } = {}) {
    const top = path.join(folder, prefix.slice(0, prefix.lastIndexOf('/')));
    const entries = readdirSync(top, { recursive: true, withFileTypes: true, encoding: 'utf8' });
    const start = cursor ?? after ?? '';
    const keys = entries
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
      .filter((key) => key.startsWith(prefix) && key > start)
      .sort();
    const page = keys.slice(0, 100_000);
    return {
      objects: page.map((key) => ({ key, size: statSync(path.join(folder, key)).size })),
      ...(keys.length > page.length ? { cursor: page.at(-1) } : {}),
    };
  },
  /** @param {string} key */
  async get(key) {
    try {
      return new Uint8Array(readFileSync(path.join(folder, key)));
    } catch {
      return undefined;
    }
  },
  /** @param {string} key @param {Uint8Array} bytes */
  async put(key, bytes) {
    mkdirSync(path.join(folder, path.dirname(key)), { recursive: true });
    try {
      writeFileSync(path.join(folder, key), bytes, { flag: 'wx' });
      return 'created';
    } catch {
      return 'exists';
    }
  },
  /** @param {string} key */
  async delete(key) {
    rmSync(path.join(folder, key), { force: true });
  },
};

/** What is not there yet has no objects. */
const list = storage.list;
storage.list = async (prefix, from) => list(prefix, from).catch(() => ({ objects: [] }));

/** @type {Record<string, () => Promise<{ spans: number, bytes: number }>>} */
const variants = {
  async compact() {
    const summary = await compact({
      storage: /** @type {any} */ (storage),
      gunzip: (bytes, maxOutputLength) => gunzipSync(bytes, { maxOutputLength }),
      gzip: (text) => new Uint8Array(gzipSync(text)),
    });
    if (summary.ended !== 'done' || summary.left || summary.busy) throw new Error(JSON.stringify(summary));
    return { spans: summary.spans, bytes: summary.writtenBytes };
  },
  async 'compact, then Parquet'() {
    await variants['compact']?.();
    return parquet();
  },
  'Parquet of objects': () => parquet(),
  async 'DuckDB recipe, Parquet'() {
    const duckdb = await openDuckdb();
    await duckdb.load(folder);
    const [[spans = '0'] = []] = await duckdb.ask('SELECT count(*) FROM spans');
    const out = path.join(folder, 'parquet');
    await duckdb.run(await readRecipe('duckdb-parquet.sql', { "TO 'spans'": `TO '${out}'` }));
    const files = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.parquet'),
    );
    duckdb.close();
    return {
      spans: Number(spans),
      bytes: files.reduce((sum, name) => sum + statSync(path.join(out, name)).size, 0),
    };
  },
};

async function parquet() {
  const settings = checkBucketOptions({
    storage: /** @type {any} */ (storage),
    gunzip: (bytes, maxOutputLength) => gunzipSync(bytes, { maxOutputLength }),
  });
  const { spans, bytes } = await writeParquet(settings, { parquetPrefix: 'parquet', graceMillis: 0 });
  return { spans, bytes };
}

const before = process.cpuUsage();
const work = variants[variant];
if (!work) throw new Error(`no variant ${variant}`);
const { spans, bytes } = await work();
const { user, system } = process.cpuUsage(before);
const cpuSeconds = (user + system) / 1e6;
process.send?.(
  {
    variant,
    spans,
    'CPU s': cpuSeconds,
    'spans per CPU s': Math.round(spans / cpuSeconds),
    'RSS MB, peak': process.resourceUsage().maxRSS / 1_000,
    'MB written': bytes / 1e6,
    'bytes a span': bytes / spans,
  },
  () => process.exit(),
);
