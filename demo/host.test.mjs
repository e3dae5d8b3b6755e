import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { requireTool } from '../e2e/support/tools.mjs';
import { startHost } from './host.mjs';
import { exchange, put, send, uploads } from './testing/client.mjs';
import { visitObjects } from './testing/visits.mjs';

const CSP = "default-src 'none'";
const OTLP = gzipSync('{"resourceSpans":[]}');

/** @type {import('./host.mjs').Host} */
let host;
/** @type {string} */
let folder;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'spandrel-host-'));
  await mkdir(path.join(folder, 'files/sub'), { recursive: true });
  await writeFile(path.join(folder, 'secret.txt'), 'secret');
  await writeFile(path.join(folder, 'files/index.html'), '<p>index</p>');
  await writeFile(path.join(folder, 'files/sub/a b.mjs'), 'export {};');
  await symlink(path.join(folder, 'secret.txt'), path.join(folder, 'files/link.txt'));
  const files = pathToFileURL(`${folder}/files/`);
  host = await startHost({
    folders: { '/files/': files },
    files: { '/': new URL('index.html', files) },
    csp: ({ bucketOrigin }) => `${CSP}; connect-src ${bucketOrigin}`,
    headers: { 'x-test': 'yes' },
    mock: { ingest: { maxUploadBytes: false } },
  });
});
after(async () => {
  await host.close();
  await rm(folder, { recursive: true });
});
afterEach(() => host.mock.faults.clear());

const get = (/** @type {string} */ path, /** @type {Record<string, string>} */ headers = {}) =>
  send(host.origin + path, { headers });

/** @param {number} count */
const store = async (count) => {
  const fresh = await uploads(`${host.origin}/spandrel`, host.origin, count);
  for (const upload of fresh) assert.equal((await put(upload, OTLP)).status, 200);
  return fresh.map(({ key }) => key);
};

test('host: serves files with their type, documents under the policy, and lets nothing be kept', async () => {
  const index = await get('/files/');
  assert.equal(index.text, '<p>index</p>');
  assert.equal(index.headers['content-type'], 'text/html; charset=utf-8');
  assert.equal(index.headers['content-security-policy'], `${CSP}; connect-src ${host.mock.bucketOrigin}`);
  assert.equal(index.headers['cache-control'], 'no-cache');
  const script = await get('/files/sub/a%20b.mjs');
  assert.equal(script.headers['content-type'], 'text/javascript; charset=utf-8');
  assert.equal(script.headers['content-security-policy'], undefined);
  assert.equal(script.headers['cache-control'], 'no-store');
  assert.equal(script.headers['x-test'], 'yes');
  const preact = await get('/vendor/preact.js');
  assert.match(preact.text, /export\s*\{/);
  assert.equal((await get('/shop/cart')).text, '<p>index</p>', "the shop's own routes");
  assert.equal((await send(`${host.origin}/files/`, { method: 'POST' })).status, 405);
});

test('host: nothing outside the folders can be reached', async () => {
  for (const path of [
    '/files/../secret.txt',
    '/files/..%2fsecret.txt',
    '/files/%2e%2e/secret.txt',
    '/files/sub/..%2f..%2fsecret.txt',
    '/files/..%5csecret.txt',
    '/files/link.txt',
    '/files/%00',
    '/files/%',
    '/files/sub',
    '/node_modules/preact/package.json',
    '/package.json',
    '//etc/passwd',
  ]) {
    const { status, text } = await get(path);
    assert.equal(status, 404, path);
    assert.doesNotMatch(text, /secret/);
  }
});

// Tried as well: a folder without an index, a file as if it were a folder.
test('host: a folder without its slash is found, and who reads gets a page where there is nothing', async () => {
  const to = async (/** @type {string} */ path) => {
    const { status, headers } = await get(path, { accept: 'text/html,*/*' });
    return [status, headers['location'] ?? headers['content-type']];
  };
  assert.deepEqual(await to('/files'), [302, '/files/']);
  assert.deepEqual(await to('/viewer?x=1'), [302, '/viewer/?x=1']);
  assert.deepEqual(await to('/shop'), [302, '/']);
  assert.deepEqual(await to('/shop/'), [302, '/']);
  const page = [404, 'text/html; charset=utf-8'];
  for (const path of ['/no/such/page', '/files/sub', '/files/index.html/', '/dist']) {
    assert.deepEqual(await to(path), page, path);
  }
  assert.equal(JSON.parse((await get('/no/such/page')).text).error, 'Not found.');
});

test('host: answers to loopback names only', async () => {
  const { port } = new URL(host.origin);
  assert.equal((await get('/files/', { host: `localhost:${port}` })).status, 200);
  assert.equal((await get('/files/', { host: `shop.localhost:${port}` })).status, 200);
  assert.equal((await get('/control/faults', { host: `rebound.example:${port}` })).status, 403);
  assert.equal((await get('/control/faults', { host: 'localhost.evil.example' })).status, 403);
});

test('host: serves pages that a test registers, with headers of their own', async () => {
  const url = host.page('/steady', '<p>one</p>', { headers: { 'content-security-policy': 'sandbox' } });
  const { text, headers } = await send(url);
  assert.equal(text, '<p>one</p>');
  assert.equal(headers['content-security-policy'], 'sandbox');
  host.page('/steady', 'two', { type: 'text/plain', status: 201 });
  const second = await send(url);
  assert.deepEqual([second.status, second.text, second.headers['content-type']], [201, 'two', 'text/plain']);
});

test('host: the endpoint is on the same origin, with its faults', async () => {
  const endpoint = `${host.origin}/spandrel`;
  assert.equal((await exchange(endpoint, host.origin, { want: 1 })).status, 200);
  assert.equal((await exchange(endpoint, 'http://other.example', { want: 1 })).status, 403);
  assert.equal(
    (await exchange(host.mock.endpointUrl, host.origin, { want: 1 })).status,
    200,
    'and on its own',
  );
  const control = `${host.origin}/control/faults`;
  const headers = { 'content-type': 'application/json' };
  await send(control, { method: 'POST', headers, body: '{"endpoint":{"kind":"down"}}' });
  await assert.rejects(exchange(endpoint, host.origin, { want: 1 }), { code: 'ECONNRESET' });
  assert.equal((await get('/files/')).status, 200, 'the pages are still there');
  await send(control, { method: 'POST', headers, body: '{"endpoint":null}' });
  assert.equal((await exchange(endpoint, host.origin, { want: 1 })).status, 200);
});

test("host: the shop's API", async () => {
  const products = JSON.parse((await get('/api/products')).text);
  assert.ok(products.length >= 4);
  assert.deepEqual(JSON.parse((await get(`/api/products/${products[1].id}`)).text), products[1]);
  assert.equal((await get('/api/products/none')).status, 404);
  const cart = (/** @type {string} */ body) => send(`${host.origin}/api/cart`, { method: 'POST', body });
  assert.deepEqual(JSON.parse((await cart(JSON.stringify({ id: products[0].id }))).text), {
    count: 1,
    total: products[0].price,
  });
  assert.equal((await cart('not JSON')).status, 404);
  assert.equal((await get('/api/fail')).status, 500);
  const startedAt = performance.now();
  assert.equal(JSON.parse((await get('/api/slow')).text).stock.length, 6);
  assert.ok(performance.now() - startedAt >= 1490);
});

test("host: the viewer's API lists objects newest first, page by page, and gives them untouched", async () => {
  await host.mock.bucket.clear();
  const keys = [...(await store(2)), ...(await store(1))];
  const list = async (query = '') => JSON.parse((await get(`/viewer/api/objects${query}`)).text).objects;
  const objects = await list();
  assert.equal(objects.length, 3);
  assert.equal(objects[0].key, keys[2]);
  assert.equal(objects[0].size, OTLP.length);
  assert.ok(Math.abs(objects[0].uploadedAt - Date.now()) < 10_000);
  const older = await list(`?after=${encodeURIComponent(objects[0].key)}`);
  assert.deepEqual(older, objects.slice(1));
  assert.deepEqual(await list(`?after=${encodeURIComponent(objects[2].key)}`), []);
  const { body, headers } = await get(`/viewer/api/object?key=${encodeURIComponent(objects[0].key)}`);
  assert.deepEqual(body, OTLP);
  assert.equal(headers['content-encoding'], undefined);
  assert.equal((await get('/viewer/api/object?key=none')).status, 404);
});

test("host: the viewer's API tells of new objects as they come", async () => {
  const events = await fetch(`${host.origin}/viewer/api/events`);
  assert.equal(events.headers.get('content-type'), 'text/event-stream');
  const [key] = await store(1);
  let text = '';
  for await (const chunk of events.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    if (text.includes('data:')) break;
  }
  const data = JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? '');
  assert.equal(data.key, key);
  assert.equal(data.size, OTLP.length);
});

test('host: the overview is asked of the objects in the mock, where there is DuckDB', async () => {
  const other = await startHost({ loadDuckDb: async () => requireTool('@duckdb/node-api') });
  try {
    for (const bytes of visitObjects({ sessions: 2 })) {
      const [upload] = await uploads(`${other.origin}/spandrel`, other.origin, 1, bytes.length);
      assert.equal(upload && (await put(upload, bytes)).status, 200);
    }
    const ask = async (/** @type {string} */ rest) =>
      (await fetch(`${other.origin}/viewer/api/overview${rest}`)).json();
    const { totals, vitals, reading } = await ask('');
    assert.deepEqual([reading.objects, totals.seen, totals.sessions], [2, 8, 2]);
    assert.equal(vitals.find((/** @type {{ name: string }} */ { name }) => name === 'LCP').p75, 1_600);
    const { traces } = await ask('/traces?figure=vital&name=LCP');
    assert.equal((await ask(`/trace?id=${traces[0].id}`)).objects.length, 1);
  } finally {
    await other.close();
  }
});
