import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ingestHarness, NOW_MILLIS } from '../testing/ingest-harness.js';
import { memoryStorage } from '../testing/memory-storage.js';
import { memoryQuota } from './memory-quota.js';
import { uuidV7 } from './uuid.js';

const BYTES = new Uint8Array(gzipSync('{"resourceSpans":[]}'));
const BLOB = `?relay=&blob=${uuidV7(NOW_MILLIS, new Uint8Array(10))}`;

function relayOnly(options: Parameters<typeof ingestHarness>[0] = {}) {
  const { presign: _, ...storage } = memoryStorage();
  return { ...ingestHarness({ storage, ...options }), storage };
}

test('relay only: a store that does not presign gives no uploads, and clients are told where to go', async () => {
  const { exchange, errors } = relayOnly();
  const { token } = await ingestHarness().issue();
  const { status, body } = await exchange({ want: 3, renew: [token], confirm: [token] });
  assert.deepEqual([status, body.uploads, body.relay], [200, [], true]);
  assert.deepEqual(body.confirmed, [{ token, stored: false }]);
  assert.deepEqual(errors, []);
  assert.equal('relay' in (await ingestHarness().exchange({ want: 1 })).body, false);
});

test('relay only: bytes come by the relay, and their token confirms them', async () => {
  const { send, exchange, storage } = relayOnly();
  const { status, body } = await send({ query: BLOB, body: BYTES });
  assert.equal(status, 200);
  assert.deepEqual(storage.objects.get(body.key), BYTES);
  const { confirmed } = (await exchange({ confirm: [body.token] })).body;
  assert.deepEqual(confirmed, [{ token: body.token, stored: true }]);
});

test('relay only: a quota counts relays, and exchanges take nothing from it', async () => {
  const { send, exchange } = relayOnly({ quota: { store: memoryQuota(), perProject: { objects: 1 } } });
  for (let times = 0; times < 3; times += 1) assert.equal((await exchange({ want: 3 })).status, 200);
  assert.equal((await send({ query: BLOB, body: BYTES })).status, 200);
  const other = `?relay=&blob=${uuidV7(NOW_MILLIS, new Uint8Array(10).fill(1))}`;
  assert.equal((await send({ query: other, body: BYTES })).status, 429);
});
