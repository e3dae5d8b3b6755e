// `spandrel pull` on the demo's bucket.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { spandrel, start } from './run-command.mjs';
import { startSite } from './site.mjs';

const LIMIT = { timeout: 120_000 };
const HOUR = 'otlp/v1/shop/production/year=2026/month=11/day=20/hour=23';
const KEYS = [
  `${HOUR}/minute=58/traces_a.json.gz`,
  `${HOUR}/minute=59/traces_b.json.gz`,
  'otlp/v1/shop/production/year=2026/month=11/day=21/hour=00/minute=00/traces_c.json.gz',
  'otlp/v1/shop/staging/year=2026/month=11/day=20/hour=23/minute=59/traces_d.json.gz',
];

/** @type {Awaited<ReturnType<typeof startSite>>} */
let site;
/** @type {string} */
let folder;
before(async () => {
  site = await startSite();
  const { s3 } = await import('../../dist/server.js');
  const { owner } = site.host.mock;
  const storage = s3(owner);
  for (const key of KEYS) await storage.put(key, bytesOf(key));
});
after(() => site.close());
test.beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'spandrel-pull-'));
});
afterEach(async () => {
  site.mend();
  await rm(folder, { recursive: true });
});

/** @param {string} key */
const bytesOf = (key) =>
  new Uint8Array(gzipSync(JSON.stringify({ resourceSpans: [], key, more: ' '.repeat(5_000) })));

/** @param {string[]} args */
const pull = (...args) => spandrel(['pull', folder, '--json', ...args, ...site.ownerFlags], site.ownerEnv);

const files = async () =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort();

test('pull: objects become files under their keys, and a second run leaves them alone', LIMIT, async () => {
  const first = await pull();
  assert.equal(first.code, 0, first.stderr);
  assert.deepEqual([first.json.written, first.json.skipped], [4, 0]);
  assert.deepEqual(await files(), KEYS);
  for (const key of KEYS)
    assert.deepEqual(new Uint8Array(await readFile(path.join(folder, key))), bytesOf(key));

  const changed = path.join(folder, KEYS[1] ?? '');
  await writeFile(changed, 'cut of');
  const before = await stat(path.join(folder, KEYS[0] ?? ''));
  const second = await pull();
  assert.deepEqual([second.json.written, second.json.skipped], [1, 3]);
  assert.deepEqual(new Uint8Array(await readFile(changed)), bytesOf(KEYS[1] ?? ''));
  assert.equal((await stat(path.join(folder, KEYS[0] ?? ''))).mtimeMs, before.mtimeMs);
});

test('pull: from, until and prefix', LIMIT, async () => {
  const some = async (/** @type {string[]} */ ...args) => {
    await rm(folder, { recursive: true });
    await mkdir(folder);
    assert.equal((await pull(...args)).code, 0);
    return (await files()).map((name) => /traces_(.)/.exec(name)?.[1]).join('');
  };
  assert.equal(await some('--from', '2026-11-20T23:59'), 'bcd');
  assert.equal(await some('--from', '2026-11-21'), 'c');
  assert.equal(await some('--until', '2026-11-20T23:59'), 'a');
  assert.equal(await some('--from', '2026-11-20T23:59Z', '--until', '2026-11-21T00:00Z'), 'bd');
  assert.equal(await some('--prefix', 'otlp/v1/shop/staging'), 'd');
  assert.equal(await some('--from', '2030-01-01'), '');
  const bounded = await pull('--from', '2026-11-20T23:59', '--until', '2026-11-21');
  assert.deepEqual(bounded.json.window, {
    fromMillis: Date.UTC(2026, 10, 20, 23, 59),
    untilMillis: Date.UTC(2026, 10, 21),
  });
  const args = ['pull', folder, '--from', '2030-01-01', ...site.ownerFlags];
  assert.match(
    (await spandrel(args, site.ownerEnv)).stdout,
    /^looked at what was stored since 2030-01-01 00:00 UTC under otlp\/v1$/m,
  );
});

test('pull: inflates, within a bound', LIMIT, async () => {
  const { json } = await pull('--inflate');
  assert.equal(json.written, 4);
  const [first = ''] = await files();
  assert.match(first, /traces_a\.json$/);
  assert.equal(JSON.parse(await readFile(path.join(folder, first), 'utf8')).key, KEYS[0]);
  assert.equal((await pull('--inflate')).json.skipped, 4);
  await rm(path.join(folder, 'otlp'), { recursive: true });
  const bounded = await pull('--inflate', '--max-bytes', '5000');
  assert.deepEqual([bounded.code, bounded.json.written, bounded.json.failed], [1, 0, 4]);
  assert.match(bounded.json.failures[0].message, /inflates to more than/);
  assert.deepEqual(await files(), []);
});

test('pull: what fails is told, and leaves no part of a file', LIMIT, async () => {
  site.store.spoil({
    answer(req, res) {
      if (!req.url?.includes('traces_b')) return false;
      res.writeHead(200, { 'content-length': 1_000 }).write('half of it');
      setTimeout(() => res.destroy(), 50);
      return true;
    },
  });
  const { code, json } = await pull();
  assert.deepEqual([code, json.written, json.failed], [1, 3, 1]);
  assert.equal(json.failures[0].key, KEYS[1]);
  assert.deepEqual(
    await files(),
    KEYS.filter((key) => key !== KEYS[1]),
  );
});

test('pull: a link in the folder leads nothing out of it', LIMIT, async () => {
  const outside = await mkdtemp(path.join(tmpdir(), 'spandrel-outside-'));
  await symlink(outside, path.join(folder, 'otlp'));
  const { code, json } = await pull();
  assert.deepEqual([code, json.failed], [1, 4]);
  assert.match(json.failures[0].message, /leads out of the folder/);
  assert.deepEqual(await readdir(outside), []);
  await rm(outside, { recursive: true });
});

test('pull: Ctrl+C ends it with 130, and the next run goes on', LIMIT, async () => {
  /** @type {() => void} */
  let asked = () => undefined;
  const hasAsked = new Promise((resolve) => {
    asked = () => resolve(undefined);
  });
  /** @type {() => void} */
  let brokenOff = () => undefined;
  const isBrokenOff = new Promise((resolve) => {
    brokenOff = () => resolve(true);
  });
  site.store.spoil({
    answer(req, res) {
      if (!req.url?.includes('traces_c')) return false;
      // Never answered.
      res.once('close', () => brokenOff());
      asked();
      return true;
    },
  });
  const run = start(['pull', folder, '--json', '--concurrency', '1', ...site.ownerFlags], site.ownerEnv);
  await hasAsked;
  run.child.kill('SIGINT');
  // By the signal, and not by the 15 s that a request to the store may take.
  assert.equal(await Promise.race([isBrokenOff, delay(10_000, false, { ref: false })]), true);
  assert.equal((await run.ended).code, 130);
  assert.equal((await files()).length, 2);
  site.mend();
  assert.deepEqual((await pull()).json.written, 2);
});

test('pull: command lines that cannot be used', LIMIT, async () => {
  for (const [args, said] of /** @type {[string[], RegExp][]} */ ([
    [['pull'], /missing required argument 'folder'/],
    [['pull', folder], /no bucket: give --bucket/],
    [['pull', folder, '--bucket', 'a'], /AWS_ACCESS_KEY_ID is not in the environment/],
    [['pull', folder, '--from', 'yesterday'], /It takes 2026-11-20/],
    [['pull', folder, '--concurrency', '0'], /whole number from 1 to 64/],
    [['pull', folder, '--froom', '1d'], /unknown option.*\n?.*--from/],
    [['pull', folder, '--from', '1h', '--until', '2h', ...site.ownerFlags], /--from must be before --until/],
    [['pull', path.join(folder, 'file', 'x'), ...site.ownerFlags], /the folder cannot be made/],
  ])) {
    await writeFile(path.join(folder, 'file'), '');
    const env = args.includes('--bucket') && args.length > 4 ? site.ownerEnv : {};
    const { code, stdout, stderr } = await spandrel(args, /** @type {any} */ (env));
    assert.deepEqual([code, stdout], [2, ''], args.join(' '));
    assert.match(stderr, said);
  }
});
