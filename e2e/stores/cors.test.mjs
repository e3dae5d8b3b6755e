// The CORS rules of src/server/README.md in force: what browsers ask before they upload, and what the store says to it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createBucket, send } from './bucket.mjs';
import { s3 } from './built.mjs';
import { corsFor } from './cors-settings.mjs';
import { useRadosgw } from './radosgw.mjs';

const ORIGIN = 'https://shop.example';

/** @type {Awaited<ReturnType<typeof useRadosgw>>} */
let radosgw;
/** @type {import('../../src/server.js').S3Options} */
let options;

before(async () => {
  radosgw = await useRadosgw();
  const bucket = await createBucket(radosgw, 'cors');
  await bucket.setCors(corsFor(ORIGIN));
  ({ options } = bucket);
});

after(() => radosgw?.close());

/**
 * The preflight of a presigned upload, as browsers make it of the method and headers that the page will send.
 *
 * @param {{ origin?: string, method?: string, more?: string[] }} change
 */
async function preflight({ origin = ORIGIN, method, more = [] }) {
  const upload = await s3(options).presign('a', { expiresInSeconds: 60, bytes: 100 });
  const names = [...Object.keys(upload.headers), ...more].sort().join(',');
  return fetch(upload.url, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': method ?? upload.method,
      'access-control-request-headers': names,
    },
  });
}

test('radosgw: the rules allow the site exactly what the SDK sends', async () => {
  const { status, headers } = await preflight({});
  assert.equal(status, 200);
  assert.equal(headers.get('access-control-allow-origin'), ORIGIN);
  assert.match(headers.get('access-control-allow-methods') ?? '', /PUT/);
  assert.deepEqual((headers.get('access-control-allow-headers') ?? '').split(',').sort(), [
    'content-type',
    'if-none-match',
  ]);
  assert.equal(headers.get('access-control-max-age'), '3600');
});

for (const [what, change] of /** @type {const} */ ([
  ['another site', { origin: 'https://evil.example' }],
  ['the site without TLS', { origin: 'http://shop.example' }],
  ['a page without an origin', { origin: 'null' }],
  ['another method', { method: 'DELETE' }],
  ['another header', { more: ['x-amz-acl'] }],
])) {
  test(`radosgw: the rules refuse ${what}`, async () => {
    const { status, headers } = await preflight(/** @type {Parameters<typeof preflight>[0]} */ (change));
    assert.equal(status, 403);
    assert.equal(headers.get('access-control-allow-origin'), null);
  });
}

test('radosgw: the answers to uploads can be read by the site', async () => {
  const form = await s3({ ...options, uploads: 'post' }).presign('b', { expiresInSeconds: 60 });
  const body = new FormData();
  for (const [name, value] of Object.entries(form.fields ?? {})) body.append(name, value);
  body.append('file', new Blob(['x']));
  const posted = await fetch(form.url, { method: 'POST', headers: { origin: ORIGIN }, body });
  assert.equal(posted.status, 204);
  assert.equal(posted.headers.get('access-control-allow-origin'), ORIGIN);

  const { url, headers } = await s3(options).presign('c', { expiresInSeconds: 60 });
  const put = await fetch(url, { method: 'PUT', headers: { ...headers, origin: ORIGIN }, body: 'x' });
  assert.equal(put.status, 200);
  assert.equal(put.headers.get('access-control-allow-origin'), ORIGIN);
  assert.match(put.headers.get('access-control-expose-headers') ?? '', /etag/i);
});

test('radosgw: the rules stop pages and not programs, which the signature does', async () => {
  const upload = await s3(options).presign('d', { expiresInSeconds: 60 });
  const outcome = await send(upload, new Uint8Array(1), { headers: { origin: 'https://evil.example' } });
  assert.equal(outcome, '200');
});
