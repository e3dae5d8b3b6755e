// `spandrel maps` on the demo's bucket.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { listen } from '../../demo/mock-r2/listen.mjs';
import { send } from '../../demo/testing/client.mjs';
import { spandrel, start } from './run-command.mjs';
import { startSite } from './site.mjs';

const LIMIT = { timeout: 120_000 };
const MAP = JSON.stringify({
  version: 3,
  sources: ['a.ts'],
  names: [],
  mappings: 'AAAA',
  sourcesContent: ['a'],
});
const DEBUG_ID = '3f2a0c1e-7d4b-4a5e-9c33-0123456789ab';

/** @type {Awaited<ReturnType<typeof startSite>>} */
let site;
/** @type {import('../../dist/types/server.js').Storage} */
let storage;
/** @type {string} */
let folder;
before(async () => {
  site = await startSite();
  const { s3 } = await import('../../dist/server.js');
  storage = /** @type {any} */ (s3(site.host.mock.owner));
});
after(() => site.close());
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'spandrel-maps-'));
});
afterEach(async () => {
  site.mend();
  for (const { key } of (await storage.list('maps/')).objects) await storage.delete(key);
  await rm(folder, { recursive: true });
});

/** @param {string[]} args */
const maps = (...args) => spandrel(['maps', ...args, ...site.ownerFlags], site.ownerEnv);
const keys = async () => (await storage.list('maps/')).objects.map(({ key }) => key);

/** @param {Record<string, string>} files */
async function write(files) {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
  }
}

test('maps: upload, list and delete', LIMIT, async () => {
  const withId = JSON.stringify({ ...JSON.parse(MAP), debugId: DEBUG_ID });
  const inline = Buffer.from(MAP).toString('base64');
  await write({
    'assets/app.js': 'a()\n//# sourceMappingURL=app.js.map\n',
    'assets/app.js.map': MAP,
    'late.mjs': `b()\n//# debugId=${DEBUG_ID}\n`,
    'late.mjs.map': withId,
    'inline.js': `c()\n//# sourceMappingURL=data:application/json;base64,${inline}`,
    'vendor.js': 'd()',
    'node_modules/x.js': 'e()\n//# sourceMappingURL=x.js.map',
  });
  const first = await maps('upload', folder, '--release', '1.4.2', '--project', 'shop', '--json');
  assert.equal(first.code, 0, first.stderr);
  const { scripts, uploaded, stored, withoutMap, debugIds, failures } = first.json;
  assert.deepEqual([scripts, uploaded, stored, withoutMap, debugIds, failures], [4, 3, 0, 1, 1, []]);
  const [app = '', , late = ''] = await keys();
  assert.match(app, /^maps\/shop\/1\.4\.2\/assets\/app\.js~[0-9a-f]{32}\.map\.gz$/);
  assert.equal(late, `maps/shop/1.4.2/late.mjs~${DEBUG_ID}.map.gz`);
  assert.equal(gunzipSync((await storage.get(app)) ?? '').toString(), MAP);

  const again = await maps('upload', folder, '--release', '1.4.2', '--project', 'shop', '--json');
  assert.deepEqual([again.code, again.json.uploaded, again.json.stored], [0, 0, 3]);
  await maps('upload', folder, '--release', 'shop@2.0.0+7', '--project', 'shop');
  const listed = await maps('list', '--project', 'shop', '--json');
  assert.deepEqual(
    listed.json.releases.map((/** @type {any} */ { release, maps: count }) => [release, count]).sort(),
    [
      ['1.4.2', 3],
      ['shop@2.0.0+7', 3],
    ],
  );
  const files = await maps('list', '--project', 'shop', '--release', '1.4.2');
  assert.match(files.stdout, /assets\/app\.js {2}\d+ B/);

  const dry = await maps('delete', '--project', 'shop', '--release', '1.4.2', '--dry-run');
  assert.match(dry.stdout, /3 maps of 1\.4\.2 would be deleted/);
  assert.equal((await keys()).length, 6);
  assert.equal((await maps('delete', '--project', 'shop', '--release', '1.4.2')).code, 0);
  assert.ok((await keys()).every((key) => key.startsWith('maps/shop/shop%402.0.0%2B7/')));
  assert.equal((await maps('delete', '--project', 'shop', '--release', '1.4.2')).code, 1);
});

test(
  'maps: each map that cannot be used is named with its reason, and the others are uploaded',
  LIMIT,
  async () => {
    const outside = path.join(folder, '..', `${path.basename(folder)}.map`);
    await writeFile(outside, MAP);
    await write({
      'good.js': 'a()',
      'good.js.map': MAP,
      'other.js': `b()\n//# debugId=${DEBUG_ID}`,
      'other.js.map': JSON.stringify({ ...JSON.parse(MAP), debugId: DEBUG_ID.replace('3', '4') }),
      'broken.js': 'c()\n//# sourceMappingURL=broken.js.map',
      'broken.js.map': '<html>',
      'gone.js': 'd()\n//# sourceMappingURL=gone.js.map',
      'far.js': 'e()\n//# sourceMappingURL=https://cdn.example/far.js.map',
      'out.js': `f()\n//# sourceMappingURL=../${path.basename(outside)}`,
    });
    await symlink(outside, path.join(folder, 'link.js'));
    const run = await maps('upload', folder, '--release', '1');
    await rm(outside);
    assert.equal(run.code, 1);
    assert.match(run.stdout, /1 map of 1 uploaded.*5 failed/);
    for (const reason of [
      /✗ other\.js: its debug id is 3f2a.*, its map's 4f2a.*: they are of two builds/,
      /✗ broken\.js: its map cannot be used: it is not JSON/,
      /✗ gone\.js: the map that it names is not there/,
      /✗ far\.js: its map is elsewhere/,
      /✗ out\.js: its map lies outside of the folder/,
    ]) {
      assert.match(run.stderr, reason);
    }
    assert.deepEqual(
      (await keys()).map((key) => key.replace(/~.*/, '')),
      ['maps/default/1/good.js'],
    );
  },
);

test('maps: what cannot be meant is refused before the store is asked', LIMIT, async () => {
  /** @type {[args: string[], reason: RegExp][]} */
  const cases = [
    [['upload', folder], /required option '--release <name>' not specified/],
    [['upload', folder, '--release', '../1'], /'--release <name>'.*It takes 1 to 128 letters/s],
    [['upload', folder, '--release', '1', '--project', 'a/b'], /'--project <name>'.*It takes 1 to 64/s],
    [['upload', path.join(folder, 'nowhere'), '--release', '1'], /the folder cannot be read: ENOENT/],
    [['delete'], /required option '--release <name>' not specified/],
  ];
  for (const [args, reason] of cases) {
    const { code, stderr } = await maps(...args);
    assert.equal(code, 2, args.join(' '));
    assert.match(stderr, reason);
  }
  const empty = await maps('upload', folder, '--release', '1');
  assert.equal(empty.code, 1);
  assert.match(empty.stderr, /build with source maps/);
});

test('maps: where the store refuses, the first refusal ends it', LIMIT, async () => {
  await write(Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`${index}.js.map`, MAP])));
  await write(Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`${index}.js`, ''])));
  let asked = 0;
  site.store.spoil({
    answer(req, res) {
      if (req.method !== 'PUT') return false;
      asked += 1;
      req.resume();
      res.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>');
      return true;
    },
  });
  const { code, stderr } = await maps('upload', folder, '--release', '1');
  assert.equal(code, 1);
  assert.match(stderr, /403 AccessDenied; give AWS_ACCESS_KEY_ID the right/);
  assert.ok(asked < 10, `${asked} requests`);
});

const KEY = 'otlp/v1/shop/production/year=2026/month=11/day=20/hour=23/minute=58/traces_a.json.gz';
const STACK = 'TypeError: x\n    at o (https://shop.example/app.js:1:1)';

/** Stores a map that says `a.ts:1:1` of everything, and a trace with an error of that release. */
async function storeError() {
  await write({ 'app.js': 'o()', 'app.js.map': MAP });
  await maps('upload', folder, '--release', '1', '--project', 'shop');
  /** @param {string} key @param {string} stringValue */
  const text = (key, stringValue) => ({ key, value: { stringValue } });
  const event = {
    name: 'exception',
    timeUnixNano: '1763683200000000000',
    attributes: [text('exception.stacktrace', STACK)],
  };
  const times = { startTimeUnixNano: '1763683200000000000', endTimeUnixNano: '1763683200000000000' };
  const span = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), name: 'x', ...times, events: [event] };
  const resource = { attributes: [text('service.version', '1')] };
  const request = { resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] };
  await storage.put(KEY, new Uint8Array(gzipSync(JSON.stringify(request))));
  return { clear: () => storage.delete(KEY) };
}

test(
  'maps: pull --resolve writes stacks in the words of the sources, and pull without it as they came',
  LIMIT,
  async () => {
    const { clear } = await storeError();
    for (const [flags, wanted] of /** @type {[string[], RegExp][]} */ ([
      [[], /^(?!.*a\.ts)/],
      [['--resolve'], /at a\.ts:1:1.*exception\.stacktrace\.original.*app\.js:1:1/],
      [['--resolve', '--inflate'], /at a\.ts:1:1/],
    ])) {
      const into = path.join(folder, `pulled${flags.join('')}`);
      const run = await spandrel(['pull', into, ...flags, ...site.ownerFlags], site.ownerEnv);
      assert.equal(run.code, 0, run.stderr);
      const bytes = await readFile(path.join(into, flags.includes('--inflate') ? KEY.slice(0, -3) : KEY));
      assert.match(String(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes), wanted);
      const again = await spandrel(['pull', into, '--json', ...flags, ...site.ownerFlags], site.ownerEnv);
      assert.equal(again.json.skipped, 1);
    }
    await clear();
  },
);

test('maps: forward --resolve sends them so, and leaves the object as it is', LIMIT, async () => {
  const { clear } = await storeError();
  let sent = '';
  const collector = await listen(async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    sent += gunzipSync(Buffer.concat(chunks));
    res.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  const flags = ['--to', collector.origin, '--after', 'keep', '--from', '2026-11-01', '--resolve'];
  const run = await spandrel(['forward', ...flags, ...site.ownerFlags], site.ownerEnv);
  await collector.close();
  assert.equal(run.code, 0, run.stderr);
  assert.match(sent, /at a\.ts:1:1/);
  assert.match(sent, /exception\.stacktrace\.original/);
  assert.doesNotMatch(String(gunzipSync((await storage.get(KEY)) ?? '')), /a\.ts/);
  await clear();
});

test('maps: view answers what it is asked as it should be asked, and gives no map away', LIMIT, async () => {
  const { clear } = await storeError();
  const run = start(['view', '--last', 'all', ...site.ownerFlags], site.ownerEnv);
  const [, origin = ''] = await run.said(/(http:\/\/127\.0\.0\.1:\d+)\/viewer\//);
  /** @param {unknown} body @param {Record<string, string>} [headers] */
  const ask = async (body, headers = { 'content-type': 'application/json' }) => {
    const answer = await send(`${origin}/viewer/api/stacks`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    return { status: answer.status, text: answer.text };
  };
  const question = { project: 'shop', release: '1', stack: STACK };
  const { status, text } = await ask({ stacks: [question, { ...question, release: '2' }] });
  assert.equal(status, 200);
  const [known, unknown] = JSON.parse(text).stacks;
  assert.equal(known.lines[1].place.source, 'a.ts');
  assert.match(unknown.lines[1].why, /release 2 has no maps/);
  assert.equal((await ask({ stacks: [question] }, { 'content-type': 'text/plain' })).status, 400);
  assert.equal(
    (await ask({ stacks: [question] }, { 'content-type': 'application/json', host: 'evil.example' })).status,
    403,
  );
  assert.equal((await ask({ stacks: Array(101).fill(question) })).status, 400);
  assert.equal((await ask({ stacks: [7] })).status, 400);
  const [key = ''] = await keys();
  assert.equal((await send(`${origin}/viewer/api/object?key=${encodeURIComponent(key)}`, {})).status, 404);
  run.child.kill('SIGINT');
  await run.ended;
  await clear();
});
