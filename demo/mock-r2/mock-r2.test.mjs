import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { exchange, put, send, until, uploads } from '../testing/client.mjs';
import { startMockR2 } from './mock-r2.mjs';

const PAGE = 'http://shop.example';
const OTLP = gzipSync(JSON.stringify({ resourceSpans: [{ scopeSpans: [] }] }));

/** @type {import('./mock-r2.mjs').MockR2} */
let mock;
before(async () => {
  mock = await startMockR2({ allowedOrigins: [PAGE], ingest: { maxUploadBytes: false } });
});
after(() => mock.close());
beforeEach(async () => {
  mock.requests.clear();
  await mock.bucket.clear();
});

const fresh = async () => {
  const [upload] = await uploads(mock.endpointUrl, PAGE, 1);
  assert.ok(upload);
  return upload;
};

test('mock R2: an object comes out as it went in, byte for byte', async () => {
  const upload = await fresh();
  const bytes = gzipSync(randomBytes(100_000));
  const { status, headers } = await put(upload, bytes, { origin: PAGE });
  assert.equal(status, 200);
  assert.equal(headers['access-control-allow-origin'], PAGE);
  assert.equal(headers['access-control-expose-headers'], 'ETag');
  const stored = await mock.bucket.get(upload.key);
  assert.deepEqual(Buffer.from(stored ?? []), bytes);
  assert.equal(gunzipSync(stored ?? '').length, 100_000);
  assert.equal((await mock.bucket.about(upload.key))?.size, bytes.length);
});

test('mock R2: an object with Content-Encoding comes out with its one layer of gzip', async () => {
  const encoding = await startMockR2({
    allowedOrigins: [PAGE],
    ingest: { maxUploadBytes: false },
    storage: { contentEncoding: true },
  });
  try {
    const [upload] = await uploads(encoding.endpointUrl, PAGE, 1);
    assert.ok(upload);
    assert.equal(upload.headers['content-encoding'], 'gzip');
    assert.equal((await put(upload, OTLP)).status, 200);
    assert.deepEqual(Buffer.from((await encoding.bucket.get(upload.key)) ?? []), OTLP);
  } finally {
    await encoding.close();
  }
});

test('mock R2: a signature holds for its key, headers, query and host, and for nothing else', async () => {
  const upload = await fresh();
  const url = new URL(upload.url);
  const swapped = upload.url.replace(
    /X-Amz-Signature=(.)/,
    (_, digit) => `X-Amz-Signature=${digit === '0' ? 1 : 0}`,
  );
  const wrong = {
    key: put({ ...upload, url: upload.url.replace('traces_', 'other_') }, OTLP),
    signature: put({ ...upload, url: swapped }, OTLP),
    expiry: put({ ...upload, url: upload.url.replace('X-Amz-Expires=900', 'X-Amz-Expires=901') }, OTLP),
    type: put(upload, OTLP, { 'content-type': 'text/html' }),
    condition: put({ ...upload, headers: { 'content-type': 'application/gzip' } }, OTLP),
    host: put(upload, OTLP, { host: `localhost:${url.port}` }),
    method: put({ ...upload, method: /** @type {'PUT'} */ ('DELETE') }, OTLP),
  };
  for (const [what, sending] of Object.entries(wrong)) {
    const { status, text } = await sending;
    assert.equal(status, 403, what);
    assert.match(text, /<Code>SignatureDoesNotMatch</, what);
  }
  assert.deepEqual(await mock.bucket.list(), []);
  assert.equal((await put(upload, OTLP)).status, 200);
});

test('mock R2: an object is written once', async () => {
  const upload = await fresh();
  assert.equal((await put(upload, OTLP)).status, 200);
  const again = await put(upload, randomBytes(10));
  assert.equal(again.status, 412);
  assert.match(again.text, /<Code>PreconditionFailed</);
  assert.deepEqual(Buffer.from((await mock.bucket.get(upload.key)) ?? []), OTLP);
});

test('mock R2: a preflight passes by the rules', async () => {
  const { url } = await fresh();
  const preflight = (/** @type {Record<string, string>} */ headers) =>
    send(url, {
      method: 'OPTIONS',
      headers: {
        origin: PAGE,
        'access-control-request-method': 'PUT',
        'access-control-request-headers': 'content-type,if-none-match',
        ...headers,
      },
    });
  const allowed = await preflight({});
  assert.equal(allowed.status, 204);
  assert.equal(allowed.headers['access-control-allow-origin'], PAGE);
  assert.equal(allowed.headers['access-control-allow-methods'], 'PUT');
  assert.equal(allowed.headers['access-control-allow-headers'], 'content-type, if-none-match');
  assert.equal(allowed.headers['access-control-max-age'], '3600');
  for (const refused of [
    { origin: 'http://other.example' },
    { origin: `${PAGE}.evil.example` },
    { 'access-control-request-method': 'DELETE' },
    { 'access-control-request-headers': 'content-type,x-amz-meta-a' },
  ]) {
    const { status, headers } = await preflight(refused);
    assert.equal(status, 403, JSON.stringify(refused));
    assert.deepEqual(
      Object.keys(headers).filter((name) => name.startsWith('access-control')),
      [],
    );
  }
});

test('mock R2: errors carry no CORS headers, unless it is told that they do', async () => {
  const upload = await fresh();
  const tampered = { ...upload, url: `${upload.url}0` };
  const allowed = async () =>
    (await put(tampered, OTLP, { origin: PAGE })).headers['access-control-allow-origin'];
  assert.equal(await allowed(), undefined);
  mock.setCors({ errorsWithoutCors: [500] });
  assert.equal(await allowed(), PAGE);
  mock.setCors({ errorsWithoutCors: [403] });
  assert.equal(await allowed(), undefined);
  mock.setCors({ errorsWithoutCors: false });
  assert.equal(await allowed(), PAGE);
  mock.setCors({ errorsWithoutCors: true });
});

test('mock R2: an origin without a rule is served, and its page may not read the answer', async () => {
  const upload = await fresh();
  const { status, headers } = await put(upload, OTLP, { origin: 'http://127.0.0.1:1' });
  assert.equal(status, 200);
  assert.equal(headers['access-control-allow-origin'], undefined);
});

test('mock R2: what the endpoint is told can be read', async () => {
  const upload = await fresh();
  await put(upload, OTLP);
  const receipt = { key: upload.key, token: upload.token, spanCount: 3, bytes: OTLP.length, traces: [] };
  const { text } = await exchange(mock.endpointUrl, PAGE, {
    stored: [receipt],
    confirm: [upload.token],
    lost: { 'too-old': 2 },
  });
  assert.deepEqual(JSON.parse(text).confirmed, [{ token: upload.token, stored: true }]);
  assert.deepEqual(mock.receipts(), [receipt]);
  assert.deepEqual(mock.lost(), [{ 'too-old': 2 }]);
  assert.deepEqual(mock.errors(), []);
});

test('mock R2: the endpoint confirms what is stored and what is not, and not what is forged', async () => {
  const [stored, missing] = await uploads(mock.endpointUrl, PAGE, 2);
  assert.ok(stored && missing);
  assert.equal((await put(stored, OTLP)).status, 200);
  const confirmed = async () => {
    const confirm = [`${missing.token}A`, missing.token, stored.token, stored.token];
    const { status, text } = await exchange(mock.endpointUrl, PAGE, { confirm });
    assert.equal(status, 200);
    return JSON.parse(text).confirmed;
  };
  const answers = [
    { token: missing.token, stored: false },
    { token: stored.token, stored: true },
  ];
  assert.deepEqual(await confirmed(), answers);

  const before = mock.errors().length;
  for (const fault of /** @type {const} */ (['down', 'status'])) {
    mock.faults.set('store', fault === 'down' ? { kind: fault } : { kind: fault, status: 403 });
    assert.deepEqual(await confirmed(), [], `${fault}: no answer is no "not stored"`);
  }
  mock.faults.clear();
  // No answer waits for `onError`.
  await until(() => mock.errors().length === before + 4);
  assert.deepEqual(await confirmed(), answers);
});

test('mock R2: tells of objects that browsers and the endpoint store', async () => {
  const [direct, relayed] = await uploads(mock.endpointUrl, PAGE, 2);
  assert.ok(direct && relayed);
  /** @type {string[]} */
  const heard = [];
  const stop = mock.onObject((key) => heard.push(key));
  await put(direct, OTLP);
  const relay = `${mock.endpointUrl}?relay=${encodeURIComponent(relayed.token)}`;
  assert.equal((await send(relay, { method: 'POST', headers: { origin: PAGE }, body: OTLP })).status, 200);
  stop();
  assert.deepEqual(heard, [direct.key, relayed.key]);
  assert.deepEqual((await mock.bucket.list()).map(({ key }) => key).sort(), [...heard].sort());
});

test('mock R2: the log tells keys and headers, and no credentials', async () => {
  const upload = await fresh();
  await put(upload, OTLP, { origin: PAGE });
  const [exchanged, stored] = mock.requests.list();
  assert.equal(exchanged?.target, 'endpoint');
  assert.equal(stored?.target, 'bucket');
  assert.equal(stored?.method, 'PUT');
  assert.equal(stored?.key, upload.key);
  assert.equal(stored?.status, 200);
  assert.equal(stored?.bytes, OTLP.length);
  assert.deepEqual(stored?.headers, {
    origin: PAGE,
    'content-type': 'application/gzip',
    'content-length': String(OTLP.length),
    'if-none-match': '*',
  });
  const signature = new URL(upload.url).searchParams.get('X-Amz-Signature') ?? '';
  assert.ok(!JSON.stringify(mock.requests.list()).includes(signature));
});

test('mock R2: what has not been built is asked for', async () => {
  await assert.rejects(
    startMockR2({
      allowedOrigins: [PAGE],
      ingest: { maxUploadBytes: false },
      serverFile: new URL('no-such-file.js', import.meta.url),
    }),
    /no-such-file\.js is missing\. Run "npm run build" first\./,
  );
});
