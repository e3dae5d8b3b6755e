/** The S3 storage against Cloudflare's own local R2, which checks signatures and answers as R2 does. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Miniflare } from 'miniflare';
import { s3 } from './s3.js';
import type { S3Options } from './s3-options.js';
import type { PresignedRequest } from './storage.js';

const CREDENTIALS = { accessKeyId: 'test-access-key', secretAccessKey: 'test-secret-key' };
const KEY = 'otlp/v1/shop/production/year=2026/month=11/day=21/hour=03/minute=04/traces_a.json.gz';
const BYTES = new Uint8Array(gzipSync('{"resourceSpans":[]}'));

/** Puts objects of the keys that it is told: a thousand requests from outside are more than a busy machine takes. */
const FILLS_BUCKET = `export default {
  async fetch(request, { BUCKET }) {
    for (const key of await request.json()) await BUCKET.put(key, 'x');
    return new Response();
  },
}`;

let miniflare: Miniflare;
let options: S3Options;

before(async () => {
  miniflare = new Miniflare({
    modules: true,
    script: FILLS_BUCKET,
    compatibilityDate: '2026-04-01',
    r2Buckets: { BUCKET: { id: 'traces', s3Credentials: CREDENTIALS } },
  });
  const { origin } = await miniflare.ready;
  options = { endpoint: `${origin}/cdn-cgi/local/r2/s3`, bucket: 'traces', ...CREDENTIALS };
});

after(() => miniflare.dispose());

/** The same bucket as a Worker sees it; Miniflare's own type for it needs packages that are not here. */
interface R2Bucket {
  get(key: string): Promise<(R2Object & { arrayBuffer(): Promise<ArrayBuffer> }) | null>;
  head(key: string): Promise<R2Object | null>;
  put(key: string, value: string): Promise<unknown>;
}

interface R2Object {
  httpMetadata?: { contentType?: string; contentEncoding?: string };
}

async function r2Bucket(): Promise<R2Bucket> {
  return (await miniflare.getR2Bucket('BUCKET')) as unknown as R2Bucket;
}

function send(upload: PresignedRequest, change: Record<string, string | undefined> = {}): Promise<Response> {
  const headers = new Headers(upload.headers);
  for (const [name, value] of Object.entries(change)) {
    if (value === undefined) headers.delete(name);
    else headers.set(name, value);
  }
  return fetch(upload.url, { method: upload.method, headers, body: BYTES });
}

async function statusAndCode(response: Response): Promise<string> {
  return `${response.status} ${/<Code>(.*?)<\/Code>/.exec(await response.text())?.[1] ?? ''}`;
}

test('s3 on R2: a presigned upload writes its object once, as it is', async () => {
  const storage = s3(options);
  const upload = await storage.presign(KEY, { expiresInSeconds: 900 });
  assert.equal((await send(upload)).status, 200);
  assert.equal(await statusAndCode(await send(upload)), '412 PreconditionFailed');

  const object = await (await r2Bucket()).get(KEY);
  assert.deepEqual(new Uint8Array((await object?.arrayBuffer()) ?? []), BYTES);
  assert.equal(object?.httpMetadata?.contentType, 'application/gzip');
  assert.equal(object?.httpMetadata?.contentEncoding, undefined);
});

test('s3 on R2: a presigned upload is for these headers, this key and this time only', async () => {
  const storage = s3(options);
  const upload = await storage.presign('refused', { expiresInSeconds: 900 });
  const wrongType = await send(upload, { 'content-type': 'text/html' });
  assert.equal(await statusAndCode(wrongType), '403 SignatureDoesNotMatch');
  const overwriting = await send(upload, { 'if-none-match': undefined });
  assert.equal(await statusAndCode(overwriting), '403 SignatureDoesNotMatch');
  const otherKey = await send({ ...upload, url: upload.url.replace('refused', 'another') });
  assert.equal(await statusAndCode(otherKey), '403 SignatureDoesNotMatch');

  const early = s3({ ...options, now: () => Date.now() - 120_000 });
  const expired = await send(await early.presign('refused', { expiresInSeconds: 60 }));
  assert.equal(await statusAndCode(expired), '403 ExpiredRequest');
  assert.deepEqual((await storage.list('refused')).objects, []);
});

test('s3 on R2: a presigned upload is of the length that was signed', async () => {
  const storage = s3(options);
  const longer = await storage.presign('length', { expiresInSeconds: 900, bytes: BYTES.length + 1 });
  assert.equal(await statusAndCode(await send(longer)), '403 SignatureDoesNotMatch');
  const shorter = await storage.presign('length', { expiresInSeconds: 900, bytes: BYTES.length - 1 });
  assert.equal(await statusAndCode(await send(shorter)), '403 SignatureDoesNotMatch');
  assert.equal(await storage.head('length'), undefined);
  const exact = await storage.presign('length', { expiresInSeconds: 900, bytes: BYTES.length });
  assert.equal((await send(exact)).status, 200);
  assert.deepEqual(await storage.get('length'), BYTES);
});

test('s3 on R2: forms are not for it', async () => {
  const storage = s3({ ...options, uploads: 'post' });
  const { url, fields = {} } = await storage.presign('form', { expiresInSeconds: 900, bytes: 1000 });
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', new Blob([BYTES]));
  // It answers before it has read the form, and a form that is still being written breaks off.
  const whole = new Request(url, { method: 'POST', body: form });
  const headers = { 'content-type': whole.headers.get('content-type') ?? '' };
  const answer = await fetch(url, { method: 'POST', headers, body: await whole.arrayBuffer() });
  assert.equal(await statusAndCode(answer), '501 NotImplemented');
});

test('s3 on R2: content-encoding goes where the option says', async () => {
  const storage = s3({ ...options, contentEncoding: true });
  const upload = await storage.presign('encoded', { expiresInSeconds: 900 });
  const without = await send(upload, { 'content-encoding': undefined });
  assert.equal(await statusAndCode(without), '403 SignatureDoesNotMatch');
  assert.equal((await send(upload)).status, 200);
  const object = await (await r2Bucket()).head('encoded');
  assert.equal(object?.httpMetadata?.contentEncoding, 'gzip');
});

test('s3 on R2: put writes once, and get, head and delete find what is there', async () => {
  const storage = s3(options);
  const key = 'a/b c+d&e=f/ü%41.json.gz';
  assert.equal(await storage.head(key), undefined);
  assert.equal(await storage.get(key), undefined);
  assert.equal(await storage.put(key, BYTES), 'created');
  assert.equal(await storage.put(key, new Uint8Array(3)), 'exists');
  assert.deepEqual(await storage.get(key), BYTES);
  const head = await storage.head(key);
  assert.equal(head?.size, BYTES.length);
  assert.match(head?.etag ?? '', /^"[0-9a-f]{32}"$/);
  const { objects } = await storage.list('a/b c+d&e');
  assert.deepEqual(
    objects.map(({ storedAtMillis, ...object }) => [
      object,
      Math.abs(Date.now() - Number(storedAtMillis)) < 60_000,
    ]),
    [[{ key, size: BYTES.length, etag: head?.etag }, true]],
  );
  await assert.rejects(storage.get(key, { maxBytes: BYTES.length - 1 }), { tooLarge: true });
  assert.deepEqual(await storage.get(key, { maxBytes: BYTES.length }), BYTES);
  assert.deepEqual((await storage.list('a/b c+d&e', { after: key })).objects, []);
  await storage.delete(key);
  await storage.delete(key);
  assert.equal(await storage.head(key), undefined);
});

test('s3 on R2: a listing goes on over pages', async () => {
  const keys = Array.from({ length: 1001 }, (_, index) => `many/${String(index).padStart(4, '0')}`);
  await miniflare.dispatchFetch('http://worker.test/', { method: 'POST', body: JSON.stringify(keys) });
  const storage = s3(options);
  const first = await storage.list('many/');
  assert.equal(first.objects.length, 1000);
  const second = await storage.list('many/', first.cursor === undefined ? {} : { cursor: first.cursor });
  assert.deepEqual(
    [...first.objects, ...second.objects].map((object) => object.key),
    keys,
  );
  assert.equal(second.cursor, undefined);
});

test('s3 on R2: wrong credentials are a StorageError, and no word that the object is missing', async () => {
  const storage = s3({ ...options, secretAccessKey: 'another' });
  await assert.rejects(storage.head('refused'), { name: 'StorageError', httpStatus: 403 });
  // Last: who refuses a body unread closes the connection, at a moment of its own.
  await assert.rejects(storage.put('refused', BYTES), { name: 'StorageError', httpStatus: 403 });
});
