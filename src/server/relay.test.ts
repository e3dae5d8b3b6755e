import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ingestHarness, NOW_MILLIS, ORIGIN, SECRET } from '../testing/ingest-harness.js';
import { uuidV7 } from './uuid.js';

const BYTES = new Uint8Array(gzipSync('{"resourceSpans":[]}'));
const DAY_MILLIS = 86_400_000;

function blobId(atMillis = NOW_MILLIS, fill = 1): string {
  return uuidV7(atMillis, new Uint8Array(10).fill(fill));
}

test('relay: stores the bytes as they are under the key of the token, once', async () => {
  const { send, issue, storage } = ingestHarness();
  const { key, token } = await issue();
  const query = `?relay=${token}`;
  assert.deepEqual((await send({ query, body: BYTES })).body, { v: 1, key, token, created: true });
  const other = new Uint8Array(gzipSync('{"resourceSpans":[{}]}'));
  const again = await send({ query, body: other });
  assert.equal(again.status, 200);
  assert.deepEqual(again.body, { v: 1, key, token, created: false });
  assert.deepEqual(storage.objects.get(key), BYTES);
});

test('relay: a blob without a token gets a key of its own time, the same each time', async () => {
  const { send, storage } = ingestHarness();
  const query = `?relay=&blob=${blobId(NOW_MILLIS - DAY_MILLIS)}`;
  const { body } = await send({ query, body: BYTES });
  assert.match(
    body.key,
    /^otlp\/v1\/default\/production\/year=2026\/month=11\/day=20\/hour=03\/minute=04\/traces_/,
  );
  assert.equal(body.created, true);
  const again = await send({ query, body: BYTES });
  assert.equal(again.body.key, body.key);
  assert.equal(again.body.created, false);
  assert.equal(storage.objects.size, 1);
});

test('relay: of the id of a blob only the time enters the key', async () => {
  const { send } = ingestHarness();
  const keyOf = async (id: string) => (await send({ query: `?relay=&blob=${id}`, body: BYTES })).body.key;
  const [id, other] = [blobId(NOW_MILLIS, 1), blobId(NOW_MILLIS, 2)];
  const key = await keyOf(id);
  const uuid = /traces_(.*)\.json\.gz$/.exec(key)?.[1] ?? '';
  assert.equal(uuid.slice(0, 13), id.slice(0, 13));
  assert.notEqual(uuid.slice(14), id.slice(14));
  assert.notEqual(await keyOf(other), key);
});

test('relay: the token that a relay answers with confirms its object', async () => {
  const { send, exchange } = ingestHarness();
  const { token } = (await send({ query: `?relay=&blob=${blobId()}`, body: BYTES })).body;
  assert.deepEqual((await exchange({ confirm: [token] })).body.confirmed, [{ token, stored: true }]);
});

test('relay: the key of a blob outlives a rotation of secrets, and differs between projects', async () => {
  const keyOf = async (options: object, project = '') => {
    const query = `?relay=&blob=${blobId()}&project=${project}`;
    return (await ingestHarness(options).send({ query, body: BYTES })).body.key;
  };
  const before = await keyOf({ secret: [SECRET] });
  assert.equal(await keyOf({ secret: [`new ${SECRET}`, SECRET] }), before);
  assert.notEqual(await keyOf({ secret: `new ${SECRET}` }), before);
  const tails = new Set<string>();
  for (const project of ['a', 'b']) {
    tails.add((await keyOf({ projects: ['a', 'b'] }, project)).split('traces_')[1] ?? '');
  }
  assert.equal(tails.size, 2);
});

test('relay: takes blobs of the last seven days and the next five minutes', async () => {
  const { send } = ingestHarness();
  const statusAt = async (offsetMillis: number) =>
    (await send({ query: `?relay=&blob=${blobId(NOW_MILLIS + offsetMillis)}`, body: BYTES })).status;
  assert.equal(await statusAt(-7 * DAY_MILLIS), 200);
  assert.equal(await statusAt(-7 * DAY_MILLIS - 1), 400);
  assert.equal(await statusAt(300_000), 200);
  assert.equal(await statusAt(300_001), 400);
});

test('relay: a page without referrer is let in by its token, and by nothing else', async () => {
  const { send, issue } = ingestHarness();
  const { token } = await issue();
  const headers = { origin: 'null' };
  assert.equal((await send({ query: `?relay=${token}`, body: BYTES, headers })).status, 200);
  assert.equal(
    (await send({ query: `?relay=${token}x`, body: BYTES, headers })).body.error.code,
    'bad_token',
  );
  const withoutToken = { query: `?relay=&blob=${blobId()}`, body: BYTES };
  assert.equal((await send({ ...withoutToken, headers })).body.error.code, 'forbidden_origin');
  const atHome = { ...headers, 'sec-fetch-site': 'same-origin' };
  assert.equal((await send({ ...withoutToken, headers: atHome })).status, 200);
  const fromAfar = { ...headers, 'sec-fetch-site': 'cross-site' };
  assert.equal((await send({ ...withoutToken, headers: fromAfar })).status, 403);
});

test('relay: the token of a project that is gone stores nothing', async () => {
  const { token } = await ingestHarness({ projects: ['old'] }).issue('old');
  const { send, storage } = ingestHarness({ projects: ['new'] });
  assert.equal((await send({ query: `?relay=${token}`, body: BYTES })).body.error.code, 'unknown_project');
  assert.deepEqual(storage.calls, []);
});

test('relay: rate limits know the project before the body is read', async () => {
  const asked: unknown[] = [];
  const { send, storage } = ingestHarness({
    projects: ['shop'],
    rateLimit: async (request, context) => {
      asked.push(context, request.bodyUsed);
      return { retryAfterSeconds: 1.2 };
    },
  });
  const answer = await send({ query: `?relay=&blob=${blobId()}&project=shop`, body: BYTES });
  assert.equal(answer.status, 429);
  assert.equal(answer.headers.get('retry-after'), '2');
  assert.deepEqual(asked, [{ project: 'shop', kind: 'relay', origin: 'https://shop.example' }, false]);
  assert.deepEqual(storage.calls, []);
});

// From an origin of its own, of another project, of both, of none; with the token in each place that takes one, and with a
// blob's id under another project's key. Two keys of one name share its tokens, and each has its own origins.
test('relay: each project has its own origins, whatever a token is good for', async () => {
  const { exchange, send, storage } = ingestHarness({
    allowedOrigins: ['https://main.example'],
    projects: {
      pk_a: { name: 'a', allowedOrigins: ['https://a.example', 'https://*.a.example'] },
      pk_a2: { name: 'a', allowedOrigins: ['https://new.example'] },
      pk_b: { name: 'b', allowedOrigins: (origin: string) => origin === 'https://b.example' },
      pk_main: { name: 'main' },
    },
  });
  const fromA = { origin: 'https://a.example' };
  const issued = (await exchange({ project: 'pk_a', want: 8 }, fromA)).body.uploads;
  const [{ key, token }] = issued as [(typeof issued)[number]];
  const said = {
    confirm: [token],
    renew: [token],
    stored: [{ key, token, spanCount: 1, bytes: 1, traces: [] }],
  };
  for (const origin of [
    'https://b.example',
    'https://main.example',
    'https://evil.example',
    'https://xa.example',
  ]) {
    const refused = [
      await send({ query: `?relay=${token}`, body: BYTES, headers: { origin } }),
      await send({ query: `?relay=&blob=${blobId()}&project=pk_a`, body: BYTES, headers: { origin } }),
      await exchange({ project: 'pk_a', ...said }, { origin }),
    ];
    for (const { status, body } of refused)
      assert.deepEqual([status, body.error.code], [403, 'forbidden_origin']);
  }
  assert.equal(storage.objects.size, 0);
  // From an origin of b, as b: genuine, but not b's.
  for (const one of [{ confirm: [token] }, { renew: [token] }, { stored: said.stored }]) {
    const { body } = await exchange({ project: 'pk_b', ...one }, { origin: 'https://b.example' });
    assert.equal(body.error?.code, 'bad_token');
  }
  const allowed = ['https://a.example', 'https://x.a.example', 'https://new.example', ORIGIN, 'null'];
  for (const [index, origin] of allowed.entries()) {
    const query = `?relay=${issued[index]?.token}`;
    assert.equal((await send({ query, body: BYTES, headers: { origin } })).status, 200, origin);
  }
});
