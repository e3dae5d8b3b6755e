// DuckDB and ClickHouse are asked the same, and answer what the SDK's own spans say.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openClickhouse } from './clickhouse.mjs';
import { openDuckdb } from './duckdb.mjs';
import { byTrace, exportInto, keyAt, officialObject, padded, putFile, serializeInto } from './objects.mjs';
import { QUESTIONS, texts } from './questions.mjs';
import { rowsOf } from './rows.mjs';
import { shopSpans } from './shop-spans.mjs';

const AT = new Date('2026-11-21T09:05:00Z');
const spans = shopSpans(40);
const rows = rowsOf(spans);

/** @type {import('./duckdb.mjs').Duckdb} */
let duckdb;
/** @type {import('./clickhouse.mjs').Clickhouse} */
let clickhouse;
/** @type {string} */
let root;

before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'spandrel-engines-'));
  duckdb = await openDuckdb();
  clickhouse = await openClickhouse();
});
after(async () => {
  duckdb?.close();
  clickhouse?.close();
  await rm(root, { recursive: true, force: true });
});

/** Every way in which the same spans may come to lie in a folder. @type {Record<string, (folder: string) => Promise<void>>} */
const SOURCES = {
  'the exporter, many traces to an object': async (folder) => {
    const keys = await exportInto(folder, [spans]);
    assert.ok(keys.length < byTrace(spans).length);
  },
  'the exporter, an object for each trace': async (folder) => {
    const keys = await exportInto(folder, [spans], { maxTracesPerBlob: 1 });
    assert.equal(keys.length, byTrace(spans).length);
  },
  'the exporter, parts of each trace in two objects': async (folder) => {
    await exportInto(folder, [spans.filter((_, at) => at % 2), spans.filter((_, at) => at % 2 === 0)]);
  },
  "OpenTelemetry's serializer": (folder) => serializeInto(folder, spans, AT),
  'objects that are there twice, and traces that are in several': async (folder) => {
    await serializeInto(folder, spans, AT);
    await putFile(folder, keyAt('again', AT), officialObject(spans));
    await putFile(
      folder,
      keyAt('some', new Date('2027-01-01T00:00:00Z')),
      officialObject(spans.slice(5, 50)),
    );
  },
  'gzip that is padded': async (folder) => {
    for (const [index, ofTrace] of byTrace(spans).entries())
      await putFile(
        folder,
        keyAt(`padded-${index}`, AT),
        padded(officialObject(ofTrace), index === 0 ? 65_535 : index * 97),
      );
  },
};

for (const [source, fill] of Object.entries(SOURCES)) {
  describe(`engines: ${source}`, () => {
    before(async () => {
      const folder = await mkdtemp(path.join(root, 'bucket-'));
      await fill(folder);
      await duckdb.load(folder);
      await clickhouse.forget();
      await clickhouse.load(folder);
    });
    for (const { name, answer, ...queries } of QUESTIONS) {
      test(name, async () => {
        const expected = texts(answer(rows));
        assert.ok(expected.length > 0);
        assert.deepEqual(await duckdb.ask(queries.duckdb), expected);
        assert.deepEqual(await clickhouse.ask(queries.clickhouse), expected);
      });
    }
  });
}
