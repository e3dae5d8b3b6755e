// Every method of `s3()` against radosgw.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createBucket } from './bucket.mjs';
import { s3 } from './built.mjs';
import { useRadosgw } from './radosgw.mjs';

const BYTES = new Uint8Array(gzipSync('{"resourceSpans":[]}'));
const ODD_KEYS = [
  ...['a b', 'a+b', 'ü', 'a%41b', 'a&b=c', 'a<b>', `a"b'c`, 'a//b', '~x', 'a;b,c', 'emoji 😀', "(x)!*'"],
  ...['a:b@c$d', 'line\nbreak', '#q?x', '&amp;', 'back\\slash', '[x]{y}|^`'],
];

/** @type {Awaited<ReturnType<typeof useRadosgw>>} */
let radosgw;
/** @type {import('../../src/server.js').S3Options} */
let options;
/** @type {import('../../src/server.js').PresigningStorage} */
let storage;

before(async () => {
  radosgw = await useRadosgw();
  ({ options } = await createBucket(radosgw, 'storage'));
  storage = s3(options);
});

after(() => radosgw?.close());

test('radosgw: put writes once, and get, head and delete find what is there', async () => {
  const key = 'once/traces_a.json.gz';
  assert.equal(await storage.head(key), undefined);
  assert.equal(await storage.get(key), undefined);
  assert.equal(await storage.put(key, BYTES), 'created');
  assert.equal(await storage.put(key, new Uint8Array(3)), 'exists');
  assert.deepEqual(await storage.get(key), BYTES);
  const head = await storage.head(key);
  assert.equal(head?.size, BYTES.length);
  assert.match(head?.etag ?? '', /^"[0-9a-f]{32}"$/);
  await storage.delete(key);
  await storage.delete(key);
  assert.equal(await storage.head(key), undefined);
});

test('radosgw: of many puts at once for one key, one has created it', async () => {
  const puts = Array.from({ length: 8 }, (_, index) => storage.put('race', new Uint8Array([index])));
  const outcomes = await Promise.all(puts);
  const [stored] = (await storage.get('race')) ?? [];
  assert.equal(outcomes.filter((outcome) => outcome === 'created').length, 1);
  assert.equal(outcomes[stored ?? -1], 'created');
});

test('radosgw: get reads no more than it may', async () => {
  await storage.put('large', new Uint8Array(1_000_000));
  await assert.rejects(storage.get('large', { maxBytes: 999_999 }), { name: 'StorageError', tooLarge: true });
  assert.equal((await storage.get('large', { maxBytes: 1_000_000 }))?.length, 1_000_000);
});

test('radosgw: an object that is deleted between listing and get is not there', async () => {
  await storage.put('vanishing/a', BYTES);
  const [object] = (await storage.list('vanishing/')).objects;
  await storage.delete('vanishing/a');
  assert.equal(await storage.get(object?.key ?? ''), undefined);
});

test('radosgw: odd keys are stored, found, listed and deleted as they are', async () => {
  for (const key of ODD_KEYS) {
    assert.equal(await storage.put(`odd/${key}`, new TextEncoder().encode(key)), 'created', key);
    assert.equal(new TextDecoder().decode(await storage.get(`odd/${key}`)), key);
  }
  const listed = (await storage.list('odd/')).objects.map(({ key }) => key.slice('odd/'.length));
  const byBytes = ODD_KEYS.toSorted((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
  assert.deepEqual(listed, byBytes);
  for (const [index, key] of byBytes.entries()) {
    const { objects } = await storage.list('odd/', { after: `odd/${key}` });
    assert.equal(objects[0]?.key, byBytes[index + 1] && `odd/${byBytes[index + 1]}`);
    await storage.delete(`odd/${key}`);
  }
  assert.deepEqual(await storage.list('odd/'), { objects: [] });
});

test('radosgw: a listing of 1,001 goes on over pages, and begins after a key', async () => {
  const keys = Array.from({ length: 1001 }, (_, index) => `many/${String(index).padStart(4, '0')}`);
  for (let start = 0; start < keys.length; start += 10) {
    await Promise.all(keys.slice(start, start + 10).map((key) => storage.put(key, BYTES)));
  }
  const first = await storage.list('many/');
  assert.equal(first.objects.length, 1000);
  const second = await storage.list('many/', { cursor: first.cursor ?? '' });
  assert.equal(second.cursor, undefined);
  const objects = [...first.objects, ...second.objects];
  assert.deepEqual(
    objects.map(({ key }) => key),
    keys,
  );
  for (const { size, storedAtMillis = 0 } of objects) {
    assert.equal(size, BYTES.length);
    assert.ok(Math.abs(Date.now() - storedAtMillis) < 600_000);
  }
  const rest = await storage.list('many/', { after: 'many/0998' });
  assert.deepEqual(
    rest.objects.map(({ key }) => key),
    ['many/0999', 'many/1000'],
  );
});

test('radosgw: the type and the encoding of what is put are kept', async () => {
  await storage.put('type/gzip', BYTES);
  await storage.put('type/json', BYTES, { contentType: 'application/json' });
  const encoding = s3({ ...options, contentEncoding: true });
  await encoding.put('type/encoded', BYTES);
  /** @param {string} key */
  const headersOf = async (key) => {
    /** @type {Headers | undefined} */
    let headers;
    const watching = s3({
      ...options,
      async fetch(url, init) {
        const response = await fetch(url, init);
        headers = response.headers;
        return response;
      },
    });
    await watching.head(key);
    return [headers?.get('content-type'), headers?.get('content-encoding')];
  };
  assert.deepEqual(await headersOf('type/gzip'), ['application/gzip', null]);
  assert.deepEqual(await headersOf('type/json'), ['application/json', null]);
  assert.deepEqual(await headersOf('type/encoded'), ['application/gzip', 'gzip']);
});

test('radosgw: what the store refuses is a StorageError with its status', async () => {
  const cases = [
    { change: { secretAccessKey: 'another' }, httpStatus: 403 },
    { change: { accessKeyId: 'nobody' }, httpStatus: 403 },
    { change: { bucket: 'nowhere' }, httpStatus: 404 },
    { change: { now: () => Date.now() - 3_600_000 }, httpStatus: 403 },
  ];
  for (const { change, httpStatus } of cases) {
    const refused = s3({ ...options, ...change });
    await assert.rejects(refused.put('refused', BYTES), { name: 'StorageError', httpStatus });
    await assert.rejects(refused.list(''), { name: 'StorageError', httpStatus });
  }
});

/** Node does not resolve names under `localhost` everywhere; the gateway is told the name all the same. */
const byName = (/** @type {string} */ url, /** @type {RequestInit} */ init) => {
  const { host, pathname, search } = new URL(url);
  const { hostname, port } = new URL(radosgw.origin);
  const headers = { .../** @type {Record<string, string>} */ (init.headers), host };
  return /** @type {Promise<Response>} */ (
    new Promise((resolve, reject) => {
      const path = pathname + search;
      const request = http.request({ hostname, port, path, method: init.method, headers }, async (answer) => {
        const body = Buffer.concat(await answer.toArray());
        const status = answer.statusCode ?? 0;
        const known = /** @type {Record<string, string>} */ (answer.headers);
        resolve(new Response(status === 204 ? null : body, { status, headers: known }));
      });
      request.once('error', reject).end(init.body);
    })
  );
};

test('radosgw: the same with the bucket in front of the host', async () => {
  const { port } = new URL(radosgw.origin);
  const endpoint = `http://${radosgw.dnsName}:${port}`;
  const hosted = s3({ ...options, endpoint, virtualHosted: true, fetch: byName });
  assert.equal(await hosted.put('hosted/a b', BYTES), 'created');
  assert.equal(await hosted.put('hosted/a b', BYTES), 'exists');
  assert.equal((await hosted.head('hosted/a b'))?.size, BYTES.length);
  assert.deepEqual(
    (await hosted.list('hosted/')).objects.map(({ key }) => key),
    ['hosted/a b'],
  );
  const upload = await hosted.presign('hosted/b', { expiresInSeconds: 60, bytes: BYTES.length });
  const length = { 'content-length': String(BYTES.length) };
  const init = { method: 'PUT', headers: { ...upload.headers, ...length }, body: BYTES };
  assert.equal((await byName(upload.url, init)).status, 200);
  assert.deepEqual(await storage.get('hosted/b'), BYTES);
  await hosted.delete('hosted/b');
  assert.equal(await storage.get('hosted/b'), undefined);
});
