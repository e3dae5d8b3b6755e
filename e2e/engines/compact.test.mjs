// DuckDB reads what `spandrel compact` leaves: objects, also half-way, and Parquet.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { visits } from '../../demo/testing/visits.mjs';
import { spandrel } from '../cli/run-command.mjs';
import { startSite } from '../cli/site.mjs';
import { ensureTools, VERSIONS } from '../support/tools.mjs';
import { openDuckdb } from './duckdb.mjs';

const LIMIT = { timeout: 240_000 };
const DAY = Math.floor(Date.now() / 86_400_000 - 2) * 86_400_000;
const DATE = new Date(DAY).toISOString().slice(0, 10);
const FOLDER = `otlp/v1/shop/production/year=${DATE.slice(0, 4)}/month=${DATE.slice(5, 7)}/day=${DATE.slice(8)}`;
const AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const VISITS = visits({ sessions: 8, endedAt: DAY + 6 * 3_600_000 });
/** @type {any[]} */
const SPANS = VISITS.flatMap((/** @type {any} */ { resourceSpans }) => resourceSpans[0].scopeSpans[0].spans);
SPANS[0].attributes.push({ key: 'user_agent.original', value: { stringValue: AGENT } });
/** A row of what plain code finds. @param {any} span @param {string} name */
const attribute = (span, name) => {
  const { value } = span.attributes.find((/** @type {any} */ { key }) => key === name) ?? {};
  return value?.stringValue ?? value?.doubleValue;
};

/** @type {Awaited<ReturnType<typeof startSite>>} */
let site;
/** @type {string} */
let root;
/** @type {import('./duckdb.mjs').Duckdb} */
let duckdb;
before(async () => {
  [site, duckdb] = await Promise.all([startSite(), openDuckdb()]);
  root = await mkdtemp(path.join(tmpdir(), 'spandrel-engines-'));
  const { s3 } = await import('../../dist/server.js');
  const storage = s3(site.host.mock.owner);
  for (const [index, request] of VISITS.entries()) {
    const key = `${FOLDER}/hour=0${index % 3}/minute=1${index}/traces_${index}.json.gz`;
    await storage.put(key, new Uint8Array(gzipSync(JSON.stringify(request))));
  }
}, LIMIT);
after(async () => {
  duckdb?.close();
  await site?.close();
  await rm(root, { recursive: true, force: true });
});

/** @param {string[]} args */
const run = (...args) =>
  spandrel(
    [...args, ...site.ownerFlags],
    site.ownerEnv,
    ensureTools({ '@duckdb/node-api': VERSIONS['@duckdb/node-api'] }),
  );

/** Copies all below a prefix to files. @param {string} folder @param {string} prefix */
async function copyTo(folder, prefix) {
  for (const { key } of await site.host.mock.bucket.list(prefix)) {
    const { s3 } = await import('../../dist/server.js');
    const bytes = await s3(site.host.mock.owner).get(key);
    const file = path.join(folder, key);
    await mkdir(path.dirname(file), { recursive: true });
    if (bytes) await writeFile(file, bytes);
  }
}

const IDS = SPANS.map(({ traceId, spanId }) => [traceId, spanId]).sort();
const ids = async () =>
  (await duckdb.ask('SELECT trace_id, span_id FROM spans ORDER BY ALL')).map((row) => [...row]);

test(
  'DuckDB reads compacted objects as it reads the others, and half-way counts nothing twice',
  LIMIT,
  async () => {
    const halfWay = path.join(root, 'half-way');
    await copyTo(halfWay, 'otlp/');
    const { code, stderr, json } = await run('compact', '--json');
    assert.equal(code, 0, stderr);
    assert.equal(json.written, 3);
    const whole = path.join(root, 'whole');
    await copyTo(whole, 'otlp/');
    await duckdb.load(whole);
    assert.deepEqual(await ids(), IDS);
    // As where a compactor died before it had deleted anything.
    await copyTo(halfWay, 'otlp/');
    await duckdb.load(halfWay);
    assert.deepEqual(await ids(), IDS);
  },
);

test('--parquet writes each day once, with columns that answer as plain code does', LIMIT, async () => {
  const first = await run('compact', '--parquet', '--json');
  assert.equal(first.code, 0, first.stderr);
  const { days, spans, files, unreadable } = first.json.parquet;
  assert.deepEqual([days, spans, files, unreadable], [1, SPANS.length, 1, 0]);
  const again = await run('compact', '--parquet', '--json');
  assert.deepEqual([again.json.parquet.days, again.json.parquet.upToDate], [0, 1]);

  await copyTo(root, 'parquet/');
  const names = (await readdir(path.join(root, 'parquet'), { recursive: true })).filter((name) =>
    name.endsWith('.parquet'),
  );
  assert.match(names.join(), new RegExp(`^shop/production/day=${DATE}/spans_[0-9a-f]{16}_1of1\\.parquet$`));
  const from = `FROM read_parquet('${root}/parquet/*/*/*/*.parquet')`;
  const rows =
    await duckdb.ask(`SELECT trace_id, span_id, name, kind, epoch_ns(start_time_unix_nano), duration_time_unix_nano,
    status_code, service_name, session_id, url_template, page_url, web_vital_name, web_vital_value, day ${from} ORDER BY span_id`);
  const expected = [...SPANS]
    .sort((one, other) => (one.spanId < other.spanId ? -1 : 1))
    .map((span) => [
      ...[span.traceId, span.spanId, span.name, String(span.kind), span.startTimeUnixNano],
      String(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)),
      ...[String(span.status?.code ?? 0), 'shop', attribute(span, 'session.id') ?? null],
      ...['url.template', 'browser.document.url.full', 'browser.web_vital.name'].map(
        (name) => attribute(span, name) ?? null,
      ),
      attribute(span, 'browser.web_vital.value') ?? null,
      DATE,
    ]);
  assert.deepEqual(
    rows.map((row) => row.map((value, column) => (column === 12 && value !== null ? Number(value) : value))),
    expected,
  );
  // What one span says of its session is true of all of them.
  const session = attribute(SPANS[0], 'session.id');
  assert.deepEqual(
    await duckdb.ask(`SELECT DISTINCT browser, os, device ${from} WHERE session_id = '${session}'`),
    [['Firefox', 'Linux', 'desktop']],
  );
  const [[error = ''] = []] = await duckdb.ask(
    `SELECT json_extract_string(events_json, '$[0].attributes."exception.type"') ${from} WHERE status_code = 2 LIMIT 1`,
  );
  assert.equal(error, 'TypeError');
  const order = await duckdb.ask(
    `SELECT service_name, epoch_ns(start_time_unix_nano) ${from.replace('*.parquet', '*1of1.parquet')}`,
  );
  assert.deepEqual(order, [...order].sort());
});

test('--parquet writes a day anew that has got an object since', LIMIT, async () => {
  const { s3 } = await import('../../dist/server.js');
  const late = JSON.stringify(VISITS[0]).replace(/"spanId":"0/g, '"spanId":"f');
  await s3(site.host.mock.owner).put(
    `${FOLDER}/hour=09/minute=01/traces_late.json.gz`,
    new Uint8Array(gzipSync(late)),
  );
  const { json } = await run('compact', '--parquet', '--json');
  assert.equal(json.parquet.days, 1);
  assert.equal((await site.host.mock.bucket.list('parquet/')).length, 1);
  assert.ok(json.parquet.spans > SPANS.length);
});
