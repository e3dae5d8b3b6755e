// Thousands of objects: both engines read them, DuckDB opens few of them where few are asked for, and makes Parquet of
// all.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { openClickhouse } from './clickhouse.mjs';
import { openDuckdb } from './duckdb.mjs';
import { byTrace, keyAt, officialObject, putFile } from './objects.mjs';
import { readRecipe } from './recipe.mjs';
import { shopSpans } from './shop-spans.mjs';

const HOURS = 48;
const OBJECTS_PER_HOUR = 60;
const SINCE = "SET VARIABLE since = TIMESTAMP '2000-01-01 00:00:00'";
const UNTIL = "SET VARIABLE until = TIMESTAMP '2100-01-01 00:00:00'";

/** @type {import('./duckdb.mjs').Duckdb} */
let duckdb;
/** @type {string} */
let root;
/** @type {number} */
let spansInAll;

before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'spandrel-engines-'));
  duckdb = await openDuckdb();
  const traces = byTrace(shopSpans(HOURS * OBJECTS_PER_HOUR)).slice(0, HOURS * OBJECTS_PER_HOUR);
  spansInAll = traces.flat().length;
  for (const [index, spans] of traces.entries())
    await putFile(
      root,
      keyAt(`x${index}`, new Date(Date.UTC(2026, 11, 31, 0, index))),
      officialObject(spans),
    );
});
after(async () => {
  duckdb?.close();
  await rm(root, { recursive: true, force: true });
});

test('engines: DuckDB reads thousands of objects', async () => {
  await duckdb.load(root);
  assert.deepEqual(await duckdb.ask('SELECT count(*), count(DISTINCT object) FROM spans'), [
    [String(spansInAll), String(HOURS * OBJECTS_PER_HOUR)],
  ]);
});

test('engines: ClickHouse reads thousands of objects', async () => {
  const clickhouse = await openClickhouse();
  try {
    await clickhouse.load(root);
    assert.deepEqual(await clickhouse.ask('SELECT count(), uniqExact(TraceId) FROM otel_traces FINAL'), [
      [String(spansInAll), String(HOURS * OBJECTS_PER_HOUR)],
    ]);
  } finally {
    clickhouse.close();
  }
});

test('engines: DuckDB opens no file of other hours', async () => {
  const read = {
    [SINCE]: "SET VARIABLE since = TIMESTAMP '2026-12-31 23:00:00'",
    [UNTIL]: "SET VARIABLE until = TIMESTAMP '2027-01-01 00:30:00'",
  };
  const broken = keyAt('broken', new Date('2026-12-31T12:00:00Z'));
  await putFile(root, broken, Buffer.from('not gzip'));
  await assert.rejects(duckdb.load(root), /GZIP/);
  await duckdb.load(root, read);
  const [[objects, first, last] = []] = await duckdb.ask(
    `SELECT count(DISTINCT object), min(regexp_extract(object, 'year=.*/')), max(regexp_extract(object, 'year=.*/')) FROM spans`,
  );
  assert.deepEqual(
    [objects, first, last],
    ['91', 'year=2026/month=12/day=31/hour=23/minute=00/', 'year=2027/month=01/day=01/hour=00/minute=30/'],
  );
  await rm(path.join(root, broken));
});

test('engines: Parquet holds what the objects held, by day', async () => {
  await duckdb.load(root);
  const before = await duckdb.ask('SELECT * FROM spans ORDER BY trace_id, span_id');
  const folder = path.join(root, 'parquet');
  await duckdb.run(await readRecipe('duckdb-parquet.sql', { "'spans'": `'${folder}'` }));
  const days = await readdir(folder);
  assert.ok(days.length > 1 && days.every((name) => /^day=\d{4}-\d\d-\d\d$/.test(name)), String(days));
  const compacted = `read_parquet('${folder}/*/*.parquet', hive_partitioning = false)`;
  assert.deepEqual(await duckdb.ask(`SELECT * FROM ${compacted} ORDER BY trace_id, span_id`), before);
});
