import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import http from 'node:http';
import { after, afterEach, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { exchange, put, send, until, uploads } from '../testing/client.mjs';
import { startMockR2 } from './mock-r2.mjs';

const PAGE = 'http://shop.example';
const BYTES = randomBytes(20_000);
const BROKEN = { code: 'ECONNRESET' };

/** @type {import('./mock-r2.mjs').MockR2} */
let mock;
before(async () => {
  mock = await startMockR2({ allowedOrigins: [PAGE], ingest: { maxUploadBytes: false } });
});
after(() => mock.close());
afterEach(() => {
  mock.faults.clear();
  mock.requests.clear();
});

const fresh = async () => {
  const [upload] = await uploads(mock.endpointUrl, PAGE, 1);
  assert.ok(upload);
  return upload;
};
const isStored = async (/** @type {{ key: string }} */ { key }) =>
  (await mock.bucket.about(key)) !== undefined;

test('down: connections are reset, old ones too, and the same port is back afterwards', async () => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const [first, second] = await uploads(mock.endpointUrl, PAGE, 2);
  assert.ok(first && second);
  assert.equal((await put(first, BYTES, {}, agent)).status, 200);
  mock.faults.set('bucket', { kind: 'down' });
  await assert.rejects(put(second, BYTES, {}, agent), BROKEN);
  await assert.rejects(put(second, BYTES), BROKEN);
  assert.equal(mock.requests.list('bucket').length, 1, 'nothing was read');
  assert.ok(Number(mock.faults.current().bucket?.strikes) >= 1);
  mock.faults.clear('bucket');
  assert.equal((await put(second, BYTES, {}, agent)).status, 200);
  agent.destroy();
});

test('down: strikes only the target it is set on', async () => {
  mock.faults.set('endpoint', { kind: 'down' });
  await assert.rejects(exchange(mock.endpointUrl, PAGE, { want: 1 }), BROKEN);
  mock.faults.set('endpoint', null);
  mock.faults.set('bucket', { kind: 'down' });
  assert.equal((await exchange(mock.endpointUrl, PAGE, { want: 1 })).status, 200);
});

test('hang: no answer until it is cleared, and then a reset', async () => {
  const upload = await fresh();
  mock.faults.set('bucket', { kind: 'hang' });
  let ended = false;
  const sending = put(upload, BYTES).finally(() => {
    ended = true;
  });
  const broken = assert.rejects(sending, BROKEN);
  await until(() => mock.requests.list('bucket').length === 1);
  assert.equal(ended, false);
  mock.faults.clear('bucket');
  await broken;
  const [logged] = mock.requests.list('bucket');
  assert.equal(logged?.fault, 'hang');
  assert.equal(logged?.status, 0);
  assert.equal(await isStored(upload), false);
});

test('hang: one that was to strike once holds its request until it is cleared', async () => {
  const [held, free] = await uploads(mock.endpointUrl, PAGE, 2);
  assert.ok(held && free);
  mock.faults.set('bucket', { kind: 'hang', times: 1 });
  const broken = assert.rejects(put(held, BYTES), BROKEN);
  await until(() => mock.requests.list('bucket').length === 1);
  assert.equal((await put(free, BYTES)).status, 200);
  mock.faults.clear();
  await broken;
});

test('status: the bucket answers as R2 words it, and the real one sees nothing', async () => {
  const upload = await fresh();
  for (const [status, code] of /** @type {const} */ ([
    [403, 'AccessDenied'],
    [429, 'TooManyRequests'],
    [500, 'InternalError'],
    [503, 'ServiceUnavailable'],
  ])) {
    mock.faults.set('bucket', { kind: 'status', status, retryAfter: 2 });
    const answer = await put(upload, BYTES, { origin: PAGE });
    assert.equal(answer.status, status);
    assert.equal(answer.headers['content-type'], 'application/xml');
    assert.equal(answer.headers['retry-after'], '2');
    assert.equal(answer.headers['access-control-allow-origin'], undefined);
    assert.match(answer.text, new RegExp(`<Error><Code>${code}</Code>`));
  }
  mock.faults.set('bucket', { kind: 'status', status: 503, code: 'SlowDown' });
  assert.match((await put(upload, BYTES)).text, /<Code>SlowDown</);
  mock.faults.clear();
  assert.equal(await isStored(upload), false);
  assert.equal((await put(upload, BYTES)).status, 200);
});

test('status: a preflight still passes', async () => {
  const { url } = await fresh();
  mock.faults.set('bucket', { kind: 'status', status: 503 });
  const headers = { origin: PAGE, 'access-control-request-method': 'PUT' };
  assert.equal((await send(url, { method: 'OPTIONS', headers })).status, 204);
});

test('status: the endpoint answers in JSON that its page may read', async () => {
  mock.faults.set('endpoint', { kind: 'status', status: 429, retryAfter: 'Wed, 21 Oct 2026 07:28:00 GMT' });
  const { status, headers, text } = await exchange(mock.endpointUrl, PAGE, { want: 1 });
  assert.equal(status, 429);
  assert.equal(headers['retry-after'], 'Wed, 21 Oct 2026 07:28:00 GMT');
  assert.equal(headers['access-control-allow-origin'], PAGE);
  assert.equal(headers['access-control-expose-headers'], 'Retry-After');
  assert.equal(JSON.parse(text).error.code, 'rate_limited');
});

test('slow: the object is stored at once and its answer is held back', async () => {
  const upload = await fresh();
  // Longer than finding the object can take.
  mock.faults.set('bucket', { kind: 'slow', delayMillis: 600_000 });
  const agent = new http.Agent({ keepAlive: true });
  let answered = false;
  const sending = put(upload, BYTES, {}, agent).finally(() => {
    answered = true;
  });
  while (!answered && !(await isStored(upload)));
  assert.equal(answered, false);
  agent.destroy();
  await assert.rejects(sending, BROKEN);
});

test('slow: the answer comes after the delay', async () => {
  const upload = await fresh();
  mock.faults.set('bucket', { kind: 'slow', delayMillis: 200 });
  const startedAt = performance.now();
  assert.equal((await put(upload, BYTES)).status, 200);
  assert.ok(performance.now() - startedAt >= 199);
});

test('slow: bytes come through at the rate asked for', async () => {
  const upload = await fresh();
  mock.faults.set('bucket', { kind: 'slow', bytesPerSecond: 100_000 });
  const startedAt = performance.now();
  assert.equal((await put(upload, BYTES)).status, 200);
  const seconds = (performance.now() - startedAt) / 1000;
  assert.ok(seconds >= 0.18, `20 kB at 100 kB/s took ${seconds} s`);
  assert.deepEqual(Buffer.from((await mock.bucket.get(upload.key)) ?? []), BYTES);
});

test('reset: breaks within the body, and nothing is stored', async () => {
  const upload = await fresh();
  mock.faults.set('bucket', { kind: 'reset', afterBytes: 1000 });
  await assert.rejects(put(upload, BYTES), (/** @type {any} */ error) =>
    ['ECONNRESET', 'EPIPE'].includes(error.code),
  );
  assert.equal((await put(upload, BYTES.subarray(0, 1000))).status, 200, 'a shorter body passes');
  assert.equal((await mock.bucket.about(upload.key))?.size, 1000);
});

test('lost-answer: stored, though the client cannot know', async () => {
  const upload = await fresh();
  mock.faults.set('bucket', { kind: 'lost-answer', times: 1 });
  await assert.rejects(put(upload, BYTES), BROKEN);
  assert.equal(await isStored(upload), true);
  assert.equal((await put(upload, BYTES)).status, 412);
});

test('clock: URLs of a clock ahead are expired, in the words of the real verifier', async () => {
  const upload = await fresh();
  mock.faults.set('bucket', { kind: 'clock', shiftMillis: 901_000, times: 1 });
  const expired = await put(upload, BYTES);
  assert.equal(expired.status, 403);
  assert.match(expired.text, /<Code>ExpiredRequest</);
  assert.equal(await isStored(upload), false);
  mock.faults.set('bucket', { kind: 'clock', shiftMillis: 86_400_000 });
  assert.match((await put(upload, BYTES)).text, /<Code>ExpiredRequest</, 'over a change of day as well');
  mock.faults.set('bucket', { kind: 'clock', shiftMillis: 600_000 });
  assert.equal((await put(upload, BYTES)).status, 200, 'still valid by then');
});

test('clock: only URLs signed before an instant age, when one is given', async () => {
  const upload = await fresh();
  const signedAtMillis = Math.floor(Date.now() / 1000) * 1000;
  const days = { kind: /** @type {const} */ ('clock'), shiftMillis: 259_200_000 };
  mock.faults.set('bucket', { ...days, signedBeforeMillis: signedAtMillis + 60_000 });
  assert.equal((await put(upload, BYTES)).status, 403);
  mock.faults.set('bucket', { ...days, signedBeforeMillis: signedAtMillis - 60_000 });
  assert.equal((await put(upload, BYTES)).status, 200);
});

test('store: the endpoint cannot reach the bucket, and says so', async () => {
  const upload = await fresh();
  mock.faults.set('store', { kind: 'status', status: 503 });
  const relay = `${mock.endpointUrl}?relay=${encodeURIComponent(upload.token)}`;
  const body = gzipSync(JSON.stringify({ resourceSpans: [] }));
  const { status, text } = await send(relay, { method: 'POST', headers: { origin: PAGE }, body });
  assert.equal(status, 502);
  assert.equal(JSON.parse(text).error.code, 'storage_failed');
});

test('times and methods: only so many, only those', async () => {
  const upload = await fresh();
  const options = { method: 'OPTIONS', headers: { origin: PAGE, 'access-control-request-method': 'PUT' } };
  mock.faults.set('bucket', { kind: 'down', times: 1, methods: ['PUT'] });
  assert.equal((await send(upload.url, options)).status, 204);
  await assert.rejects(put(upload, BYTES), BROKEN);
  assert.equal(mock.faults.current().bucket, null);
  assert.equal((await put(upload, BYTES)).status, 200);
  mock.faults.set('bucket', { kind: 'status', status: 500, methods: ['OPTIONS'] });
  assert.equal((await send(upload.url, options)).status, 500);
});

test('faults that cannot be meant are refused', () => {
  const set = /** @type {(target: unknown, fault: unknown) => void} */ (mock.faults.set);
  assert.throws(() => set('buckets', { kind: 'down' }), /fault target: got "buckets"/);
  assert.throws(() => set('bucket', { kind: 'explode' }), /fault: got/);
  assert.throws(() => set('bucket', { kind: 'status', status: 200 }), /fault status: got 200/);
  assert.throws(() => set('endpoint', { kind: 'clock', shiftMillis: 1 }), /fault clock/);
  assert.throws(() => set('bucket', { kind: 'down', times: -1 }), /fault times/);
  assert.throws(() => set('bucket', { kind: 'down', methods: 'PUT' }), /fault methods/);
  assert.deepEqual(mock.faults.current(), { bucket: null, store: null, endpoint: null });
});
