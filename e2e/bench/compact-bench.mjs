// `compact` against the plain DuckDB recipe over the same day of objects in a folder: spans per CPU second, peak memory of
// the whole process, and bytes a span. BENCH_OBJECTS says how many objects of some 19 spans there are.
import { fork } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureTools, VERSIONS } from '../support/tools.mjs';
import { writeDay } from './compact-objects.mjs';

const OBJECTS = Number(process.env['BENCH_OBJECTS'] ?? 20_000);
const VARIANTS = (
  process.env['BENCH_VARIANTS'] ?? 'compact|compact, then Parquet|DuckDB recipe, Parquet'
).split('|');

export async function bench() {
  const folder = mkdtempSync(path.join(tmpdir(), 'spandrel-compact-'));
  try {
    const day = path.join(folder, 'day');
    const { spans, jsonBytes, gzipBytes } = writeDay(day, OBJECTS);
    console.error(`${OBJECTS} objects, ${spans} spans, ${jsonBytes} bytes of JSON, ${gzipBytes} of gzip`);
    const rows = [];
    for (const variant of VARIANTS) {
      console.error(`${variant} …`);
      const copy = path.join(folder, 'copy');
      cpSync(day, copy, { recursive: true });
      rows.push(await measure(variant, copy));
      rmSync(copy, { recursive: true, force: true });
    }
    return { [`compact, ${OBJECTS} objects, ${Math.round(gzipBytes / spans)} bytes of gzip a span`]: rows };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** In a process of its own, so that peaks do not mix. @param {string} variant @param {string} folder */
function measure(variant, folder) {
  const script = fileURLToPath(new URL('compact-measure.mjs', import.meta.url));
  // Where DuckDB is found.
  const cwd = ensureTools({ '@duckdb/node-api': VERSIONS['@duckdb/node-api'] });
  const child = fork(script, [variant, folder], { cwd });
  return new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`${variant} ended with ${code} and no figures`)));
  });
}
