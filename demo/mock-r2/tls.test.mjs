import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import https from 'node:https';
import { buffer, json } from 'node:stream/consumers';
import { after, afterEach, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { makeCertificate } from '../testing/certificate.mjs';
import { startMockR2 } from './mock-r2.mjs';

const PAGE = 'https://shop.example';
const OTLP = gzipSync('{"resourceSpans":[]}');
const EXCHANGE = JSON.stringify({ v: 1, want: 2, stored: [], confirm: [], renew: [], lost: {} });

/** @type {import('./mock-r2.mjs').MockR2} */
let mock;
before(async () => {
  mock = await startMockR2({
    allowedOrigins: [PAGE],
    ingest: { maxUploadBytes: false },
    tls: await makeCertificate(),
  });
});
after(() => mock.close());
afterEach(() => {
  mock.faults.clear();
  mock.requests.clear();
});

/**
 * One HTTP/2 request on a connection of its own.
 *
 * @param {string} url
 * @param {string} method
 * @param {Record<string, string>} headers
 * @param {string | Uint8Array} body
 */
async function send(url, method, headers, body) {
  const { origin, pathname, search } = new URL(url);
  const session = http2.connect(origin, { rejectUnauthorized: false });
  const ended = once(session, 'close');
  try {
    const stream = session.request({
      ':method': method,
      ':path': pathname + search,
      ...headers,
      'content-length': Buffer.byteLength(body),
    });
    stream.end(body);
    const [answer] = await Promise.race([once(stream, 'response'), ended]);
    if (!answer) throw new Error('broken off');
    return { status: Number(answer[':status']), body: await buffer(stream) };
  } finally {
    session.destroy();
  }
}

/** @returns {Promise<import('../../src/protocol.js').PresignedUpload>} */
async function fresh() {
  const headers = { origin: PAGE, 'content-type': 'text/plain' };
  const { status, body } = await send(mock.endpointUrl, 'POST', headers, EXCHANGE);
  assert.equal(status, 200);
  return JSON.parse(body.toString()).uploads[0];
}

test('mock R2 over TLS: HTTP/2 all the way, with the signature checked against :authority', async () => {
  const upload = await fresh();
  assert.equal(new URL(upload.url).origin, mock.bucketOrigin);
  assert.match(mock.bucketOrigin, /^https:/);
  assert.equal((await send(upload.url, 'PUT', { ...upload.headers, 'content-type': 'x' }, OTLP)).status, 403);
  assert.equal((await send(upload.url, 'PUT', { ...upload.headers, origin: PAGE }, OTLP)).status, 200);
  assert.deepEqual(Buffer.from((await mock.bucket.get(upload.key)) ?? []), OTLP);
  assert.deepEqual([...new Set(mock.requests.list().map(({ httpVersion }) => httpVersion))], ['2.0']);
});

test('mock R2 over TLS: the endpoint reaches the bucket, and clients of HTTP/1.1 both', async () => {
  const { token, key } = await fresh();
  const request = https.request(`${mock.endpointUrl}?relay=${encodeURIComponent(token)}`, {
    method: 'POST',
    headers: { origin: PAGE },
    rejectUnauthorized: false,
  });
  request.end(OTLP);
  const [response] = await once(request, 'response');
  assert.equal(/** @type {{ key?: string }} */ (await json(response)).key, key);
  assert.equal((await mock.bucket.about(key))?.size, OTLP.length);
});

for (const kind of /** @type {const} */ (['down', 'hang', 'lost-answer'])) {
  test(`mock R2 over TLS: ${kind} breaks the connection`, async () => {
    const upload = await fresh();
    mock.faults.set('bucket', { kind });
    const broken = assert.rejects(send(upload.url, 'PUT', upload.headers, OTLP));
    if (kind === 'hang') {
      while (mock.faults.current().bucket?.strikes !== 1) await new Promise(setImmediate);
      mock.faults.clear();
    }
    await broken;
    assert.equal((await mock.bucket.about(upload.key)) !== undefined, kind === 'lost-answer');
  });
}
