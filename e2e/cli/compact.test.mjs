// `spandrel compact` and `spandrel erase` on the demo's bucket, beside the endpoint and the other commands.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { listen } from '../../demo/mock-r2/listen.mjs';
import { visits } from '../../demo/testing/visits.mjs';
import { spandrel } from './run-command.mjs';
import { startSite } from './site.mjs';

const LIMIT = { timeout: 120_000 };
// Yesterday's.
const DAY = Math.floor(Date.now() / 86_400_000 - 1) * 86_400_000;
const HOUR = DAY + 5 * 3_600_000;
const MINUTE = 60_000;
const VISITS = visits({ sessions: 6, endedAt: HOUR + 30 * MINUTE });
const SPANS = VISITS.flatMap(spansIn);

/** @type {Awaited<ReturnType<typeof startSite>>} */
let site;
/** @type {string[]} */
let ids = [];
before(async () => {
  site = await startSite();
});
after(() => site.close());
beforeEach(async () => {
  const storage = await bucket();
  ids = VISITS.map((_, index) => idAt(HOUR + index * 9 * MINUTE));
  for (const [index, request] of VISITS.entries()) {
    await storage.put(keyOf(ids[index] ?? ''), new Uint8Array(gzipSync(JSON.stringify(request))));
  }
});
afterEach(async () => {
  site.mend();
  await site.host.mock.bucket.clear();
});

async function bucket() {
  const { s3 } = await import('../../dist/server.js');
  return s3(site.host.mock.owner);
}

/** A UUIDv7. @param {number} atMillis */
function idAt(atMillis) {
  const time = atMillis.toString(16).padStart(12, '0');
  const random = randomBytes(8).toString('hex');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-8${random.slice(3, 6)}-${random.slice(4)}`;
}

/** @param {string} id */
function keyOf(id) {
  const iso = new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toISOString();
  const [year, month, day, hour, minute] = iso.split(/[-T:]/);
  return `otlp/v1/default/production/year=${year}/month=${month}/day=${day}/hour=${hour}/minute=${minute}/traces_${id}.json.gz`;
}

/** @param {any} request @returns {any[]} */
function spansIn(request) {
  return request.resourceSpans.flatMap((/** @type {any} */ one) =>
    one.scopeSpans.flatMap((/** @type {any} */ scope) => scope.spans),
  );
}

const byId = (/** @type {any} */ one, /** @type {any} */ other) => (one.spanId < other.spanId ? -1 : 1);
const keys = async (prefix = 'otlp/') => (await site.host.mock.bucket.list(prefix)).map(({ key }) => key);
/** @param {string} command @param {string[]} args */
const run = (command, ...args) => spandrel([command, ...args, ...site.ownerFlags], site.ownerEnv);

/** Every span that `pull` copies. */
async function pulled() {
  const folder = await mkdtemp(path.join(tmpdir(), 'spandrel-compact-'));
  try {
    const { code, stderr } = await spandrel(['pull', folder, ...site.ownerFlags], site.ownerEnv);
    assert.equal(code, 0, stderr);
    const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.json.gz'));
    const texts = await Promise.all(
      files.map(async (name) => gunzipSync(await readFile(path.join(folder, name)))),
    );
    return texts.flatMap((text) => spansIn(JSON.parse(text.toString()))).sort(byId);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test(
  'compact: an hour becomes one object of the same spans, and a second run has nothing to do',
  LIMIT,
  async () => {
    const first = await run('compact', '--json');
    assert.equal(first.code, 0, first.stderr);
    const { listed, compacted, written, spans, ended } = first.json;
    assert.deepEqual([listed, compacted, written, spans, ended], [6, 6, 1, SPANS.length, 'done']);
    const [key, ...others] = await keys();
    assert.deepEqual(others, []);
    assert.match(key ?? '', /\/hour=05\/minute=59\/traces_[0-9a-f-]{36}\.json\.gz$/);
    assert.deepEqual(await pulled(), [...SPANS].sort(byId));
    assert.deepEqual(await keys('spandrel-state/leases/'), []);
    const again = await run('compact', '--json');
    assert.deepEqual([again.code, again.json.written, again.json.kept], [0, 0, 1]);
  },
);

test('compact: the endpoint goes on answering "stored" for what was compacted away', LIMIT, async () => {
  await run('compact');
  const wants = [...ids, idAt(HOUR)].map((id) => ({ id, bytes: 500, again: true }));
  const answer = await fetch(site.endpointUrl, {
    method: 'POST',
    headers: { origin: site.origin, 'content-type': 'text/plain' },
    body: JSON.stringify({ v: 2, client: 'test', wants, stored: [], lost: {} }),
  });
  const { uploads } = /** @type {import('../../src/protocol.js').BlobExchangeResponse} */ (
    await answer.json()
  );
  const stored = uploads.flatMap((one) => ('stored' in one ? [one.id] : []));
  assert.deepEqual(stored, ids);
  assert.equal(uploads.length, wants.length, 'what was never there may be put');
});

test('compact: forward sends what was compacted once, whichever of both comes first', LIMIT, async () => {
  /** @type {string[]} */
  const received = [];
  const collector = await listen(async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const text = gunzipSync(Buffer.concat(chunks)).toString();
    received.push(...spansIn(JSON.parse(text)).map(({ spanId }) => spanId));
    res.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  const forward = ['--to', collector.origin, '--after', 'keep', '--json'];
  try {
    for (const step of ['forward', 'compact', 'forward']) {
      const done = step === 'forward' ? await run('forward', ...forward) : await run('compact', '--json');
      assert.equal(done.code, 0, done.stderr);
    }
    assert.deepEqual([...received].sort(), SPANS.map(({ spanId }) => spanId).sort());
    assert.equal((await keys()).length, 1);
  } finally {
    await collector.close();
  }
});

test('compact: rules, a table for people, and what is wrong in words', LIMIT, async () => {
  const rules = ['--drop', 'url.full', '--hash', 'session.id', '--retain', 'errors 90d, rest 1h'];
  const { code, stdout, stderr } = await spandrel(
    ['compact', ...rules, '--hash-key-env', 'HASH_KEY', ...site.ownerFlags],
    { ...site.ownerEnv, HASH_KEY: 'a key of sixteen or more' },
  );
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^compacted +6 /m);
  assert.match(stdout, /^spans whose time is up +\d+ +left out$/m);
  const left = await pulled();
  const failed = new Set(SPANS.filter(({ status }) => status?.code === 2).map(({ traceId }) => traceId));
  assert.equal(left.length, SPANS.filter(({ traceId }) => failed.has(traceId)).length);
  assert.ok(!JSON.stringify(left).includes('"url.full"'));
  assert.match(JSON.stringify(left), /"session.id","value":\{"stringValue":"hmac:[0-9a-f]{32}"/);

  for (const [args, words] of /** @type {const} */ ([
    [['--retain', 'ever'], /option "retain" got "ever"; it takes "errors 90d, rest 14d"/],
    [['--hash', 'user.id'], /option "hashKey"/],
    [['--hash', 'user.id', '--hash-key-env', 'NONE'], /NONE is not in the environment/],
    [['--every', 'week'], /Allowed choices are minute, hour, day/],
  ])) {
    const refused = await run('compact', ...args);
    assert.equal(refused.code, 2, refused.stdout);
    assert.match(refused.stderr, words);
  }
});

test('compact: a dry run and a bucket that may not be deleted from stay as they are', LIMIT, async () => {
  const before = await site.host.mock.bucket.list();
  const dry = await run('compact', '--dry-run');
  assert.equal(dry.code, 0, dry.stderr);
  assert.match(dry.stdout, /would be compacted +6/);
  assert.deepEqual(await site.host.mock.bucket.list(), before);

  site.store.spoil({
    answer(req, res) {
      if (req.method !== 'DELETE') return false;
      res.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>');
      return true;
    },
  });
  const refused = await run('compact');
  assert.equal(refused.code, 1);
  assert.match(refused.stdout, /403.*this needs the right to delete what it replaces; nothing was changed/);
  assert.deepEqual(
    await keys(),
    before.map(({ key }) => key),
  );
});

test('erase: a session goes, and it is said how much', LIMIT, async () => {
  await run('compact');
  const id = VISITS.map(spansIn)[2]?.[0].attributes.find((/** @type {any} */ { key }) => key === 'session.id')
    .value.stringValue;
  const dry = await run('erase', '--session', id, '--dry-run');
  assert.match(dry.stdout, /^\d+ spans of 4 traces would go$/m);
  const done = await run('erase', '--session', id);
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, /^rewritten +1$/m);
  const gone = new Set(spansIn(VISITS[2]).map(({ spanId }) => spanId));
  assert.deepEqual(
    (await pulled()).map(({ spanId }) => spanId),
    [...SPANS]
      .sort(byId)
      .map(({ spanId }) => spanId)
      .filter((spanId) => !gone.has(spanId)),
  );
  const nothing = await run('erase');
  assert.deepEqual([nothing.code, /at least one value/.test(nothing.stderr)], [2, true]);
});

test('compact: without DuckDB --parquet says what to install', LIMIT, async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'spandrel-compact-'));
  const { code, stderr } = await spandrel(
    ['compact', '--parquet', ...site.ownerFlags],
    site.ownerEnv,
    folder,
  );
  await rm(folder, { recursive: true });
  assert.equal(code, 2);
  assert.match(stderr, /--parquet needs DuckDB, which is not installed: npm install @duckdb\/node-api/);
});
