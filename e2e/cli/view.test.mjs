// `spandrel view`: what its server gives, and what not.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { send } from '../../demo/testing/client.mjs';
import { spandrel, start } from './run-command.mjs';
import { startSite } from './site.mjs';

const LIMIT = { timeout: 120_000 };
const OTLP = '{"resourceSpans":[]}';

/** @type {string} */
let folder;
/** @type {ReturnType<typeof start>} */
let run;
/** @type {string} */
let origin;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'spandrel-view-'));
  const traces = path.join(folder, 'traces');
  await mkdir(path.join(traces, 'sub'), { recursive: true });
  await mkdir(path.join(traces, 'node_modules'));
  await writeFile(path.join(folder, 'secret.json'), 'secret');
  await writeFile(path.join(traces, 'a.json'), OTLP);
  await writeFile(path.join(traces, 'sub/b ü.json.gz'), gzipSync(OTLP));
  await writeFile(path.join(traces, 'notes.txt'), 'secret');
  await writeFile(path.join(traces, '.env.json'), OTLP);
  await writeFile(path.join(traces, 'node_modules/package.json'), '{}');
  await symlink(path.join(folder, 'secret.json'), path.join(traces, 'link.json'));
  await symlink(folder, path.join(traces, 'up'));
  run = start(['view', traces, '--interval', '1']);
  [, origin = ''] = await run.said(/(http:\/\/127\.0\.0\.1:\d+)\/viewer\//);
});
after(async () => {
  run.child.kill('SIGINT');
  assert.equal((await run.ended).code, 130);
  await rm(folder, { recursive: true });
});

/** @param {string} path @param {Record<string, string>} [headers] */
const get = (path, headers = {}) => send(origin + path, { headers });
/** @param {string} key */
const object = (key) => get(`/viewer/api/object?key=${encodeURIComponent(key)}`);
const listed = async () => JSON.parse((await get('/viewer/api/objects')).text).objects;

test('view: lists the files that may hold traces, and gives them as they are', async () => {
  const names = (await listed()).map((/** @type {any} */ { key }) => key).sort();
  assert.deepEqual(names, ['.env.json', 'a.json', 'sub/b ü.json.gz']);
  assert.equal((await object('a.json')).text, OTLP);
  assert.deepEqual((await object('sub/b ü.json.gz')).body, gzipSync(OTLP));
});

test('view: nothing but what is listed can be read', async () => {
  await listed();
  for (const key of [
    '../secret.json',
    'sub/../../secret.json',
    '/etc/passwd',
    'notes.txt',
    'link.json',
    'up/secret.json',
    'node_modules/package.json',
    '',
    'a.json\0',
  ]) {
    const answer = await object(key);
    assert.equal(answer.status, 404, key);
    assert.doesNotMatch(answer.text, /secret|root:/);
  }
  for (const path of [
    '/viewer/../secret.json',
    '/viewer/..%2f..%2fcli.js',
    '/viewer/preact.js.LICENSE.txt',
    '/cli.js',
    '//etc/passwd',
    '/viewer/%00.mjs',
  ]) {
    assert.equal((await get(path)).status, 404, path);
  }
});

test('view: a file that becomes a link out of the folder is not followed', async () => {
  const file = path.join(folder, 'traces/turned.json');
  await writeFile(file, OTLP);
  await listed();
  await symlink(path.join(folder, 'secret.json'), `${file}.new`);
  await rename(`${file}.new`, file);
  assert.equal((await object('turned.json')).status, 404);
  await rm(file);
});

test('view: answers its own pages only, and reads only', async () => {
  for (const host of [
    'evil.example',
    'evil.example:80',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
  ]) {
    assert.equal((await get('/viewer/api/objects', { host })).status, 403, host);
  }
  assert.equal((await get('/viewer/api/objects', { host: 'localhost:1' })).status, 200);
  const other = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' };
  assert.equal((await get('/viewer/api/objects', other)).status, 403);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    assert.equal((await send(`${origin}/viewer/api/objects`, { method })).status, 405);
  }
  const { headers, text } = await get('/viewer/');
  assert.match(
    String(headers['content-security-policy']),
    /default-src 'none'; script-src 'self'; style-src 'self'/,
  );
  assert.equal(headers['access-control-allow-origin'], undefined);
  assert.equal(headers['x-content-type-options'], 'nosniff');
  // Every file that the page names is there.
  for (const [, name = ''] of text.matchAll(/(?:href|src)="([^"]+)"/g)) {
    assert.equal((await get(name)).status, 200, name);
  }
  assert.equal((await get('/')).headers.location, '/viewer/');
  assert.match((await get('/viewer/about.mjs')).text, /"shopUrl":""/);
});

test('view: tells of new files', LIMIT, async () => {
  const abort = new AbortController();
  const response = await fetch(`${origin}/viewer/api/events`, { signal: abort.signal });
  await listed();
  await writeFile(path.join(folder, 'traces/new.json'), OTLP);
  let heard = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    heard += decoder.decode(chunk, { stream: true });
    if (heard.includes('data:')) break;
  }
  assert.equal(JSON.parse(/data: (.*)/.exec(heard)?.[1] ?? '').key, 'new.json');
  abort.abort();
  await rm(path.join(folder, 'traces/new.json'));
});

test('view: one file alone', LIMIT, async () => {
  const one = start(['view', path.join(folder, 'traces/a.json'), '--json']);
  const [, url = ''] = await one.said(/"url": "([^"]+)"/);
  const { objects } = JSON.parse((await send(new URL('api/objects', url).href)).text);
  assert.deepEqual(
    objects.map((/** @type {any} */ { key }) => key),
    ['a.json'],
  );
  one.child.kill('SIGTERM');
  const { code, json } = await one.ended;
  assert.deepEqual([code, json.objects], [130, 1]);
});

test('view: a bucket, its new objects, and nothing outside the prefix', LIMIT, async (t) => {
  const site = await startSite();
  t.after(() => site.close());
  const { s3 } = await import('../../dist/server.js');
  const storage = s3(site.host.mock.owner);
  const bytes = new Uint8Array(gzipSync(OTLP));
  const iso = new Date().toISOString();
  const now = `otlp/v1/shop/production/year=${iso.slice(0, 4)}/month=${iso.slice(5, 7)}/day=${iso.slice(8, 10)}/hour=${iso.slice(11, 13)}/minute=${iso.slice(14, 16)}`;
  const old = 'otlp/v1/shop/production/year=2020/month=01/day=01/hour=00/minute=00/traces_o.json.gz';
  for (const key of [old, `${now}/traces_a.json.gz`, 'private/x.json']) await storage.put(key, bytes);

  const view = start(['view', '--interval', '1', ...site.ownerFlags], site.ownerEnv);
  t.after(() => view.child.kill());
  const [, at = ''] = await view.said(/(http:\/\/127\.0\.0\.1:\d+)\/viewer\//);
  const keys = async () =>
    JSON.parse((await send(`${at}/viewer/api/objects`)).text).objects.map(
      (/** @type {any} */ { key }) => key,
    );
  assert.deepEqual(await keys(), [`${now}/traces_a.json.gz`], 'the last 24 hours');
  await view.said(/1 object of what was stored since \d{4}-.* UTC; --last 7d, or all, looks further back/);
  await storage.put(`${now}/traces_b.json.gz`, bytes);
  assert.deepEqual((await keys()).sort(), [`${now}/traces_a.json.gz`, `${now}/traces_b.json.gz`]);
  const read = async (/** @type {string} */ key) =>
    (await send(`${at}/viewer/api/object?key=${encodeURIComponent(key)}`)).status;
  assert.deepEqual(
    [await read(`${now}/traces_b.json.gz`), await read('private/x.json'), await read(old)],
    [200, 404, 404],
  );
  view.child.kill('SIGINT');
  const { stdout, stderr } = await view.ended;
  for (const secret of Object.values(site.ownerEnv)) assert.ok(!(stdout + stderr).includes(secret));

  const wrong = await spandrel(['view', ...site.ownerFlags], {
    ...site.ownerEnv,
    AWS_SECRET_ACCESS_KEY: 'quite another',
  });
  assert.equal(wrong.code, 1);
  assert.match(
    wrong.stderr,
    /^error: bucket ".*: the store answered GET with 403 .*mend AWS_SECRET_ACCESS_KEY/,
  );
});

test('view: command lines that cannot be used', LIMIT, async () => {
  const port = new URL(origin).port;
  for (const [args, said] of /** @type {[string[], RegExp][]} */ ([
    [['view'], /nothing to view: give a folder, or --bucket/],
    [['view', path.join(folder, 'nowhere')], /it cannot be read/],
    [['view', folder, '--port', port], /port \d+ is taken/],
    [['view', folder, '--last', 'week'], /It takes a time such as/],
  ])) {
    const { code, stdout, stderr } = await spandrel(args);
    assert.deepEqual([code, stdout], [2, ''], args.join(' '));
    assert.match(stderr, said);
  }
});
