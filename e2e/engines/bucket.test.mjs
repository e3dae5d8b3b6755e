// ClickHouse reads straight from a bucket: Ceph's gateway, which verifies its signatures. The queue has a Keeper that
// lives in ClickHouse's own process, made for tests; all else is what runs in a cluster.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { listen } from '../../demo/mock-r2/listen.mjs';
import { createBatchSender, forward } from '../../dist/forward.js';
import { createBucket } from '../stores/bucket.mjs';
import { s3 } from '../stores/built.mjs';
import { useRadosgw } from '../stores/radosgw.mjs';
import { openClickhouse } from './clickhouse.mjs';
import { byTrace, keyAt, officialObject, padded } from './objects.mjs';
import { QUESTIONS, texts } from './questions.mjs';
import { readRecipe, statementsOf } from './recipe.mjs';
import { rowsOf } from './rows.mjs';
import { shopSpans } from './shop-spans.mjs';

const KEEPER = '<clickhouse><zookeeper><implementation>testkeeper</implementation></zookeeper></clickhouse>';
const PATIENCE_MILLIS = 60_000;
const [EARLY, LATE] = [new Date('2026-11-21T09:05:00Z'), new Date('2026-11-21T23:59:00Z')];

const spans = shopSpans(60);
const traces = byTrace(spans);
const count = (/** @type {readonly unknown[][]} */ of) => String(of.flat().length);

/** @type {Awaited<ReturnType<typeof useRadosgw>>} */
let radosgw;
/** @type {import('./clickhouse.mjs').Clickhouse} */
let clickhouse;
/** @type {import('../../src/server.js').Storage} */
let storage;
/** @type {string} */
let root;
/** What a user writes into the recipes. @type {Record<string, string>} */
let account;

before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'spandrel-engines-'));
  radosgw = await useRadosgw();
  storage = s3((await createBucket(radosgw, 'traces')).options);
  account = {
    'https://ACCOUNT_ID.r2.cloudflarestorage.com': radosgw.origin,
    ACCESS_KEY_ID: radosgw.accessKeyId,
    SECRET_ACCESS_KEY: radosgw.secretAccessKey,
  };
  await writeFile(path.join(root, 'keeper.xml'), KEEPER);
  clickhouse = await openClickhouse([`--config-file=${path.join(root, 'keeper.xml')}`]);
});
after(async () => {
  await clickhouse?.run('DROP TABLE IF EXISTS otlp_queue_mv').catch(() => {});
  await clickhouse?.run('DROP TABLE IF EXISTS otlp_queue SYNC').catch(() => {});
  clickhouse?.close();
  await radosgw?.close();
  await rm(root, { recursive: true, force: true });
});

/** @param {readonly import('./objects.mjs').Span[][]} some @param {Date} at @param {string} name */
async function put(some, at, name) {
  for (const [index, ofTrace] of some.entries())
    await storage.put(keyAt(`${name}-${index}`, at), padded(officialObject(ofTrace), index), {
      contentType: 'application/gzip',
    });
}

const keysLeft = async () => (await storage.list('otlp/v1/')).objects.map(({ key }) => key);
const stored = () => clickhouse.ask('SELECT count(), uniqExact(TraceId) FROM otel_traces FINAL');

/** Asks until it is so. @param {() => Promise<unknown>} ask @param {unknown} expected */
async function eventually(ask, expected) {
  const deadline = Date.now() + PATIENCE_MILLIS;
  for (;;) {
    const answer = await ask();
    if (JSON.stringify(answer) === JSON.stringify(expected)) return;
    if (Date.now() > deadline) assert.deepEqual(answer, expected);
    await delay(200);
  }
}

test('engines: ClickHouse inserts a day of a bucket, and its credentials matter', async () => {
  await put(traces.slice(0, 30), EARLY, 'day');
  await put(traces.slice(30), new Date('2026-11-22T00:00:00Z'), 'next-day');
  const insert = await readRecipe('clickhouse-insert.sql', account);
  await assert.rejects(
    clickhouse.run(insert.replace(radosgw.secretAccessKey, 'not-the-secret')),
    /SignatureDoesNotMatch|S3_ERROR/,
  );
  await clickhouse.run(insert);
  assert.deepEqual(await stored(), [[count(traces.slice(0, 30)), '30']]);
  // Again, by mistake: what is there twice counts once.
  await clickhouse.run(insert);
  assert.deepEqual(await stored(), [[count(traces.slice(0, 30)), '30']]);
  await clickhouse.run('OPTIMIZE TABLE otel_traces FINAL');
  assert.deepEqual(await clickhouse.ask('SELECT count() FROM otel_traces'), [[count(traces.slice(0, 30))]]);
});

test('engines: when a trace was is told to plugins that ask', async () => {
  const [row] = rowsOf(traces[0] ?? []);
  const [[begun] = []] = await clickhouse.ask(
    `SELECT toUnixTimestamp(min(Start)) FROM otel_traces_trace_id_ts WHERE TraceId = '${row?.traceId}'`,
  );
  assert.equal(BigInt(begun ?? 0), (row?.startNanos ?? 0n) / 1_000_000_000n);
});

test('engines: a queue takes what lies there and what comes, in any order of keys, and deletes it', async () => {
  await clickhouse.forget();
  for (const key of await keysLeft()) await storage.delete(key);
  await put(traces.slice(0, 20), LATE, 'first');
  const queue = await readRecipe('clickhouse-s3queue.sql', {
    ...account,
    'polling_backoff_ms = 5000': 'polling_backoff_ms = 0',
  });
  for (const statement of statementsOf(queue)) await clickhouse.run(statement);
  await eventually(stored, [[count(traces.slice(0, 20)), '20']]);
  await eventually(keysLeft, []);

  // Their keys come before all that has been read, as those of pages do that were offline.
  await put(traces.slice(20), EARLY, 'late');
  await eventually(stored, [[String(spans.length), String(traces.length)]]);
  await eventually(keysLeft, []);
});

test('engines: a queue leaves what it cannot read, and goes on', async () => {
  await clickhouse.forget();
  const broken = keyAt('broken', EARLY);
  await storage.put(broken, new TextEncoder().encode('not gzip'), { contentType: 'application/gzip' });
  await put(traces.slice(0, 3), LATE, 'beside');
  await eventually(stored, [[count(traces.slice(0, 3)), '3']]);
  await eventually(keysLeft, [broken]);
});

test('engines: what forward sends is what the SDK made, by ClickHouse as its backend', async () => {
  await clickhouse.run('DROP TABLE otlp_queue_mv');
  await clickhouse.run('DROP TABLE otlp_queue SYNC');
  await clickhouse.forget();
  for (const key of await keysLeft()) await storage.delete(key);
  // Two objects of each trace, and one of them twice.
  const halves = [0, 1].map((half) => traces.map((ofTrace) => ofTrace.filter((_, at) => at % 2 === half)));
  await put(halves[0] ?? [], EARLY, 'a');
  await put(
    (halves[1] ?? []).filter((half) => half.length),
    EARLY,
    'b',
  );
  await put((halves[0] ?? []).slice(0, 9), EARLY, 'c');

  /** @type {(string | undefined)[][]} */
  const headers = [];
  const backend = await listen(async (req, res) => {
    const chunks = await req.toArray();
    const body = gunzipSync(Buffer.concat(chunks)).toString();
    headers.push([req.method, req.url, req.headers['content-type'], req.headers['content-encoding']]);
    await clickhouse.run(`INSERT INTO otlp_objects FORMAT JSONEachRow ${body}`);
    res.setHeader('content-type', 'application/json').end('{}');
  });
  try {
    const summary = await forward({
      storage,
      sender: createBatchSender({ url: backend.origin }),
      after: 'delete',
      now: () => LATE.getTime(),
    });
    assert.equal(summary.ended, 'done', JSON.stringify(summary));
  } finally {
    await backend.close();
  }
  const sent = ['POST', '/v1/traces', 'application/json', 'gzip'];
  assert.ok(headers.length > 0 && headers.every((one) => String(one) === String(sent)), String(headers[0]));
  assert.deepEqual(await keysLeft(), []);
  // One object was there twice: the table keeps a span once.
  assert.deepEqual(await clickhouse.ask('SELECT count() FROM otel_traces FINAL'), [[String(spans.length)]]);
  for (const { name, clickhouse: query, answer } of QUESTIONS)
    assert.deepEqual(await clickhouse.ask(query), texts(answer(rowsOf(spans))), name);
});

test('engines: a queue that does not know a setting says so', async () => {
  const queue = await readRecipe('clickhouse-s3queue.sql', {
    ...account,
    otlp_queue: 'otlp_queue_misspelt',
    tracked_file_ttl_sec: 'tracked_files_ttl_sec',
  });
  await assert.rejects(
    clickhouse.run(statementsOf(queue)[0] ?? ''),
    /Unknown setting 'tracked_files_ttl_sec'/,
  );
});
