import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ingestHarness, ORIGIN } from '../testing/ingest-harness.js';

const FOREIGN = { origin: 'https://evil.example' };

test('ingest: lists may be missing, and what is not ours is not looked at', async () => {
  const { send } = ingestHarness();
  const { status, body } = await send({ body: '{"v":1,"want":1,"future":{"a":[]}}' });
  assert.equal(status, 200);
  assert.equal(body.uploads.length, 1);
});

test('ingest: a page of an allowed origin may read answers and refusals, without credentials', async () => {
  const origin = 'https://app.example';
  const { exchange } = ingestHarness({ allowedOrigins: [origin] });
  for (const request of [{ want: 1 }, { want: -1 }]) {
    const { headers } = await exchange(request, { origin });
    assert.equal(headers.get('access-control-allow-origin'), origin);
    assert.equal(headers.get('access-control-expose-headers'), 'Retry-After, Server-Timing');
    assert.equal(headers.get('timing-allow-origin'), origin);
    assert.equal(headers.get('access-control-allow-credentials'), null);
    assert.equal(headers.get('vary'), 'Origin');
  }
});

test('ingest: a foreign page may read nothing, and caches know', async () => {
  const { exchange, storage } = ingestHarness({ allowedOrigins: ['https://app.example'] });
  for (const origin of ['https://evil.example', 'http://app.example', 'https://app.example.evil.example']) {
    const { status, headers } = await exchange({ want: 1 }, { origin });
    assert.equal(status, 403);
    assert.equal(headers.get('access-control-allow-origin'), null);
    assert.equal(headers.get('vary'), 'Origin');
  }
  assert.deepEqual(storage.calls, []);
});

test('ingest: a preflight is answered for a day', async () => {
  const { send } = ingestHarness({ allowedOrigins: '*' });
  const headers = { origin: 'https://any.example', 'access-control-request-method': 'POST' };
  const answer = await send({ method: 'OPTIONS', headers });
  assert.equal(answer.status, 204);
  assert.equal(answer.headers.get('access-control-allow-origin'), 'https://any.example');
  assert.equal(answer.headers.get('access-control-allow-methods'), 'POST');
  assert.equal(answer.headers.get('access-control-allow-headers'), 'content-type');
  assert.equal(answer.headers.get('access-control-max-age'), '86400');
  const more = { ...headers, 'access-control-request-headers': 'authorization,x-tenant' };
  const { headers: told } = await send({ method: 'OPTIONS', headers: more });
  assert.equal(
    told.get('access-control-allow-headers'),
    'authorization,x-tenant',
    'what bucket() sends along',
  );
});

test('ingest: origins may be a function, asked once it is not the own origin', async () => {
  const { exchange } = ingestHarness({ allowedOrigins: (origin) => origin.endsWith('.app.example') });
  assert.equal((await exchange({}, { origin: 'https://a.app.example' })).status, 200);
  assert.equal((await exchange({}, FOREIGN)).status, 403);
  assert.equal((await exchange({}, { origin: ORIGIN })).status, 200);
});

test('ingest: a preflight passes for the origins of any project, a request for those of its own', async () => {
  const { send, exchange } = ingestHarness({
    projects: { a: { name: 'a' }, b: { name: 'b', allowedOrigins: ['https://b.example'] } },
  });
  const headers = { origin: 'https://b.example' };
  assert.equal((await send({ method: 'OPTIONS', headers })).status, 204);
  assert.equal((await exchange({ project: 'b' }, headers)).status, 200);
  const refused = await exchange({ project: 'a' }, headers);
  assert.equal(refused.body.error.code, 'forbidden_origin');
  assert.equal(refused.headers.get('access-control-allow-origin'), 'https://b.example');
});

test('ingest: a body is cut off at its limit, whatever length it claims', async () => {
  let pulled = 0;
  const endless = new ReadableStream({
    pull: (controller) => {
      pulled += 1;
      controller.enqueue(new Uint8Array(16 * 1024));
    },
  });
  const { send } = ingestHarness();
  const answer = await send({ body: endless, duplex: 'half', headers: { 'content-length': '2' } });
  assert.equal(answer.status, 413);
  assert.ok(pulled < 10, `${pulled} chunks were pulled`);
});
