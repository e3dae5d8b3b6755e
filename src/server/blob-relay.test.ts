import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { blobHarness, DAY_MILLIS, datedKey, GZIP, idAt, JSON_TEXT } from '../testing/blob-harness.js';
import { HOSTILE_GZIP, HOSTILE_JSON } from '../testing/hostile-bodies.js';
import { ingestHarness } from '../testing/ingest-harness.js';
import { storageDown } from '../testing/memory-storage.js';

test('blob relay: gzip as it is, JSON packed, under the key of the upload, once', async () => {
  const { relay, keyOf, storage, exchange } = blobHarness();
  const [packed, plain] = [idAt(), idAt()];
  for (const [id, body] of [
    [packed, GZIP],
    [plain, JSON_TEXT],
    [idAt(), new Blob([`\n ${JSON_TEXT} `], { type: 'text/plain' })],
  ] as const) {
    assert.equal((await relay(id, body)).body.created, true);
    assert.equal((await relay(id, GZIP)).body.created, false);
    const bytes = storage.objects.get(await keyOf(id));
    assert.deepEqual(JSON.parse(gunzipSync(bytes as Uint8Array).toString()), JSON.parse(JSON_TEXT));
    const { body: answer } = await exchange({ wants: [{ id, bytes: 9, again: true }] });
    assert.deepEqual(answer.uploads, [{ id, stored: true }]);
  }
  assert.deepEqual(storage.objects.get(await keyOf(packed)), GZIP);
});

test('blob relay: the first bytes of an id stay, and nothing is written beside what lies in the other folder', async () => {
  const { relay, storage, clock } = blobHarness();
  const late = idAt(clock.nowMillis + 3 * DAY_MILLIS);
  assert.equal((await relay(late)).body.created, true);
  const [undated] = [...storage.objects.keys()];
  clock.nowMillis += 2.5 * DAY_MILLIS;
  const other = new Uint8Array(gzipSync('{"resourceSpans":[],"other":1}'));
  assert.equal((await relay(late, other)).body.created, false);
  assert.deepEqual([...storage.objects], [[undated, GZIP]]);
  const dated = idAt();
  assert.equal((await relay(dated, other)).body.created, true);
  clock.nowMillis += 9 * DAY_MILLIS;
  assert.equal((await relay(dated)).body.created, false);
  assert.deepEqual(storage.objects.get(datedKey(dated)), other);
  assert.equal(storage.objects.size, 2);
  storage.failure = storageDown();
  assert.equal((await relay(idAt())).status, 502);
});

test('blob relay: what is hostile is refused and not stored', async () => {
  const { relay, storage } = blobHarness();
  const bodies = Object.entries({ ...HOSTILE_GZIP, ...HOSTILE_JSON });
  for (const [name, body] of bodies) {
    assert.ok([400, 413].includes((await relay(idAt(), body)).status), name);
  }
  assert.equal((await relay(idAt(), `{"resourceSpans":[],"x":"${'x'.repeat(262_144)}"}`)).status, 413);
  assert.deepEqual(storage.calls, []);
});

test('blob relay: each project has its own origins and keys', async () => {
  const projects = {
    pk_a: { name: 'a', allowedOrigins: ['https://a.example'] },
    pk_b: { name: 'b', allowedOrigins: ['https://b.example'] },
  };
  const { relay, exchange, storage } = blobHarness({ projects });
  const id = idAt();
  const fromB = { origin: 'https://b.example' };
  assert.equal((await relay(id, GZIP, fromB, '&project=pk_a')).status, 403);
  assert.equal((await relay(id, GZIP, fromB)).status, 401);
  assert.equal((await relay(id, GZIP, { origin: 'null' }, '&project=pk_a')).status, 403);
  const wants = [{ id, bytes: 9, again: true as const }];
  assert.equal((await exchange({ project: 'pk_a', wants }, fromB)).status, 403);
  assert.equal((await relay(id, GZIP, fromB, '&project=pk_b')).status, 200);
  assert.deepEqual([...storage.objects.keys()], [datedKey(id, 'otlp/v1/b/production')]);
  const { body } = await exchange({ project: 'pk_a', wants }, { origin: 'https://a.example' });
  assert.ok('url' in (body.uploads[0] ?? {}), "b's object is not a's");
});

test('blob exchange: without a secret protocol 1 is refused with the reason, and nothing else changes', async () => {
  const { send, relay, storage } = blobHarness();
  const old = [
    await send({ body: '{"v":1,"want":1}' }),
    await send({ query: '?relay=1.abc.def', body: GZIP }),
    await send({ query: `?relay=&blob=${idAt()}`, body: GZIP }),
  ];
  for (const { status, body } of old) {
    assert.deepEqual([status, body.error.code], [404, 'not_found'], 'which they keep');
    assert.match(body.error.message, /secret/);
  }
  assert.equal((await relay(idAt())).status, 200);
  assert.equal(storage.objects.size, 1);
  const both = ingestHarness();
  const { token } = await both.issue();
  assert.equal((await both.send({ query: `?relay=${token}`, body: GZIP })).status, 200);
});
