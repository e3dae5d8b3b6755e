// Presigned uploads against radosgw: what they are good for, and everything that they are not.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createBucket, send } from './bucket.mjs';
import { s3 } from './built.mjs';
import { useRadosgw } from './radosgw.mjs';

const BYTES = new Uint8Array(gzipSync('{"resourceSpans":[]}'));
const LONGER = new Uint8Array(BYTES.length + 1);
const SHORTER = BYTES.slice(1);
const LIMITS = { expiresInSeconds: 60, bytes: BYTES.length };

/** @type {Awaited<ReturnType<typeof useRadosgw>>} */
let radosgw;
/** @type {import('../../src/server.js').S3Options} */
let options;

before(async () => {
  radosgw = await useRadosgw();
  ({ options } = await createBucket(radosgw, 'presigned'));
});

after(() => radosgw?.close());

/** @param {'put' | 'post'} uploads */
const storageFor = (uploads) => s3({ ...options, uploads });
const twoMinutesAgo = () => Date.now() - 120_000;

/** @param {string} key */
const isThere = async (key) => (await s3(options).head(key)) !== undefined;

test('radosgw: a presigned PUT writes its object once, of the length that was signed', async () => {
  const upload = await storageFor('put').presign('put/a', LIMITS);
  assert.equal(await send(upload, LONGER), '403 SignatureDoesNotMatch');
  assert.equal(await send(upload, SHORTER), '403 SignatureDoesNotMatch');
  assert.equal(await isThere('put/a'), false);
  assert.equal(await send(upload, BYTES), '200');
  assert.equal(await send(upload, BYTES), '412 PreconditionFailed');
  assert.deepEqual(await s3(options).get('put/a'), BYTES);
});

test('radosgw: a presigned PUT without a length takes any', async () => {
  const upload = await storageFor('put').presign('put/any', { expiresInSeconds: 60 });
  assert.equal(await send(upload, LONGER), '200');
});

test('radosgw: a presigned PUT is for these headers, this key and this time only', async () => {
  const upload = await storageFor('put').presign('put/b', LIMITS);
  /** @param {Record<string, string | undefined>} headers */
  const withHeaders = (headers) => send(upload, BYTES, { headers });
  assert.equal(await withHeaders({ 'content-type': 'text/html' }), '403 SignatureDoesNotMatch');
  assert.equal(await withHeaders({ 'if-none-match': undefined }), '403 SignatureDoesNotMatch');
  const { url } = upload;
  const other = { ...upload, url: url.replace('put/b', 'put/c') };
  assert.equal(await send(other, BYTES), '403 SignatureDoesNotMatch');
  const longer = { ...upload, url: url.replace('X-Amz-Expires=60', 'X-Amz-Expires=6000') };
  assert.equal(await send(longer, BYTES), '403 SignatureDoesNotMatch');
  const early = await s3({ ...options, now: twoMinutesAgo }).presign('put/b', LIMITS);
  assert.equal(await send(early, BYTES), '403 AccessDenied');
  assert.equal(await isThere('put/b'), false);
  assert.equal(await isThere('put/c'), false);
});

test('radosgw: a form writes its object, up to the length that was signed', async () => {
  const upload = await storageFor('post').presign('post/a b+ü', LIMITS);
  assert.equal(await send(upload, LONGER), '400 EntityTooLarge');
  assert.equal(await send(upload, new Uint8Array(0)), '400 EntityTooSmall');
  assert.equal(await isThere('post/a b+ü'), false);
  assert.equal(await send(upload, SHORTER), '204');
  assert.deepEqual(await s3(options).get('post/a b+ü'), SHORTER);
});

test('radosgw: a form is not write-once: what the holder sends later is there', async () => {
  const upload = await storageFor('post').presign('post/twice', LIMITS);
  assert.equal(await send(upload, SHORTER), '204');
  assert.equal(await send(upload, BYTES, { headers: { 'if-none-match': '*' } }), '204');
  assert.deepEqual(await s3(options).get('post/twice'), BYTES);
});

test('radosgw: a form is for these fields, this key and this time only', async () => {
  const upload = await storageFor('post').presign('post/b', LIMITS);
  const changes = [
    ['key', 'post/c'],
    ['Content-Type', 'text/html'],
    ['Content-Type', undefined],
    ['success_action_status', undefined],
    ['success_action_redirect', 'https://evil.example/'],
    ['acl', 'public-read'],
    ['x-amz-meta-more', '1'],
    ['x-amz-signature', '0'.repeat(64)],
    ['x-amz-date', '20300101T000000Z'],
    ['policy', undefined],
  ];
  for (const [name = '', value] of changes) {
    const outcome = await send(upload, BYTES, { fields: { [name]: value } });
    assert.match(outcome, /^40[03] /, `${name}: ${value}`);
  }
  const early = await s3({ ...options, uploads: 'post', now: twoMinutesAgo }).presign('post/b', LIMITS);
  assert.equal(await send(early, BYTES), '403 AccessDenied');
  assert.equal(await isThere('post/b'), false);
  assert.equal(await isThere('post/c'), false);
});

test('radosgw: a policy that was written over is refused', async () => {
  const upload = await storageFor('post').presign('post/d', LIMITS);
  const policy = Buffer.from(upload.fields?.['policy'] ?? '', 'base64').toString();
  /** @param {string} text */
  const withPolicy = (text) => ({ fields: { policy: Buffer.from(text).toString('base64') } });
  const longer = policy.replace(`1,${BYTES.length}]`, '1,1000000]');
  assert.notEqual(longer, policy);
  assert.equal(await send(upload, LONGER, withPolicy(longer)), '403 AccessDenied');
  const later = policy.replace(/"expiration":"\d{4}/, '"expiration":"2999');
  assert.notEqual(later, policy);
  assert.equal(await send(upload, BYTES, withPolicy(later)), '403 AccessDenied');
  assert.equal(await send(upload, BYTES, withPolicy('{}')), '403 AccessDenied');
  assert.equal(await isThere('post/d'), false);
});
