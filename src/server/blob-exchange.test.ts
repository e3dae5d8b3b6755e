import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BlobExchangeResponse } from '../protocol.js';
import { blobHarness, DAY_MILLIS, datedKey, GOOD_ID, idAt, NO_IDS } from '../testing/blob-harness.js';
import { ENDPOINT, NOW_MILLIS, ORIGIN, SECRET } from '../testing/ingest-harness.js';
import { storageDown } from '../testing/memory-storage.js';
import { folderInKey, writeManifest } from './forwarded.js';
import { createIngest } from './ingest.js';
import { s3 } from './s3.js';

const UNDATED = 'year=1970/month=01/day=01/hour=00/minute=00';

test('blob exchange: an id decides its key, whoever asks, by whichever way, at whichever endpoint', async () => {
  const id = idAt(NOW_MILLIS - 3 * DAY_MILLIS);
  const key = datedKey(id);
  const one = blobHarness();
  assert.equal(await one.keyOf(id), key);
  assert.equal(await one.keyOf(id), key, 'the same again');
  one.clock.nowMillis += 2 * DAY_MILLIS;
  assert.equal(await one.keyOf(id), key, 'later');
  assert.equal(await blobHarness({ secret: SECRET }).keyOf(id), key, 'with a secret');
  const page = { id: '0190a5b0-7c3e-7cc3-98c4-dc0c0c07398f', sealed: 0, created: 0, adopted: 0 };
  const { body } = await one.exchange({
    client: '../../x',
    page: { ...page, stored: 0, waiting: 0, dropped: 0, handedOver: 0 },
    wants: [{ id, bytes: 1 }],
  });
  assert.ok(JSON.stringify(body.uploads).includes(key));
  const relayed = await one.relay(id);
  assert.deepEqual(relayed.body, { v: 2, now: one.clock.nowMillis, id, key, created: true });
  assert.deepEqual([...one.storage.objects.keys()], [key]);
  const other = blobHarness({ project: 'shop', prefix: 'in', environment: 'test' });
  assert.equal(await other.keyOf(id), datedKey(id, 'in/shop/test'));
});

test('blob exchange: an upload is of the exact length that is asked for, once, and tells the time', async () => {
  const ingest = createIngest({
    storage: s3({
      endpoint: 'https://store.example',
      bucket: 'traces',
      accessKeyId: 'a',
      secretAccessKey: 'b',
    }),
    allowedOrigins: [],
    now: () => NOW_MILLIS,
  });
  const id = idAt();
  const body = JSON.stringify({ v: 2, wants: [{ id, bytes: 4_321 }] });
  const response = await ingest(new Request(ENDPOINT, { method: 'POST', body, headers: { origin: ORIGIN } }));
  const { now, uploads, ...rest } = (await response.json()) as BlobExchangeResponse;
  assert.deepEqual(rest, { v: 2, config: { paused: false, rules: [] } });
  assert.equal(now, NOW_MILLIS);
  const [{ url, ...upload }] = uploads as [Extract<(typeof uploads)[number], { url: string }>];
  assert.deepEqual(upload, {
    ...{ id, method: 'PUT', bytes: 4_321, expiresInMs: 900_000 },
    headers: { 'content-type': 'application/gzip', 'if-none-match': '*' },
  });
  const { pathname, searchParams } = new URL(url);
  assert.equal(decodeURIComponent(pathname), `/traces/${datedKey(id)}`);
  assert.equal(searchParams.get('X-Amz-SignedHeaders'), 'content-length;content-type;host;if-none-match');
});

test('blob exchange: no clock is refused; times that cannot be lie in one folder', async () => {
  const { keyOf, relay, storage } = blobHarness();
  const dated = [0, -1, 1, -7 * DAY_MILLIS, -8 * DAY_MILLIS, DAY_MILLIS, 600_000, -600_000];
  for (const off of dated) {
    const id = idAt(NOW_MILLIS + off);
    assert.equal(await keyOf(id), datedKey(id), `${off}`);
  }
  const undated = [-8 * DAY_MILLIS - 1, DAY_MILLIS + 1, -NOW_MILLIS, Date.UTC(1999, 0) - NOW_MILLIS];
  for (const off of [...undated, Date.UTC(2099, 0) - NOW_MILLIS, 2 ** 48 - 1 - NOW_MILLIS]) {
    const id = idAt(NOW_MILLIS + off);
    const key = `otlp/v1/default/production/${UNDATED}/traces_${id}.json.gz`;
    assert.equal(await keyOf(id), key);
    assert.equal((await relay(id)).body.created, true);
    assert.equal((await relay(id)).body.created, false);
    assert.ok(storage.objects.has(key));
  }
});

test('blob exchange: who asks again is told what is there, before anything is signed', async () => {
  const { exchange, relay, storage, clock, errors } = blobHarness({ maxUploads: 100 });
  const [there, missing, forwarded, undated] = [idAt(), idAt(), idAt(), idAt(NOW_MILLIS + 3 * DAY_MILLIS)];
  await relay(there);
  await relay(undated);
  const key = datedKey(forwarded);
  const folder = await folderInKey(key.slice(0, key.lastIndexOf('/')));
  const name = key.slice(key.lastIndexOf('/') + 1);
  storage.objects.set(
    `spandrel-state/done/${folder}/000000000000-ffffffffffff-${GOOD_ID}.json`,
    writeManifest([[name, 'sent']]),
  );
  const ask = async (ids: string[]) => {
    const wants = ids.map((id) => ({ id, bytes: 9, again: true as const }));
    const { body } = await exchange({ wants });
    return Object.fromEntries(
      body.uploads.map((one) => [one.id, 'stored' in one ? 'stored' : 'url' in one ? 'url' : 'no']),
    );
  };
  const all = [there, missing, forwarded, undated];
  const expected = { [there]: 'stored', [missing]: 'url', [forwarded]: 'stored', [undated]: 'stored' };
  assert.deepEqual(await ask(all), expected);
  // Its time has become a good one, or is too long ago: it lies where it was put.
  clock.nowMillis += 4 * DAY_MILLIS;
  assert.deepEqual(await ask(all), expected);
  clock.nowMillis += 20 * DAY_MILLIS;
  assert.deepEqual(await ask(all), expected);
  storage.failure = storageDown();
  assert.deepEqual(await ask([there, missing]), {}, 'nobody knows: ask again');
  assert.ok(errors.length > 0);
  storage.failure = undefined;
  const many = Array.from({ length: 30 }, () => idAt(clock.nowMillis));
  const answered = await ask(many);
  assert.equal(Object.keys(answered).length, 20, 'the rest next time');
  assert.equal(
    (await exchange({ wants: [{ id: there, bytes: 9 }] })).body.uploads.length,
    1,
    'nobody looks unasked',
  );
});

test('blob exchange: receipts are told with the key of their id, and come again until they are taken', async () => {
  const told: unknown[] = [];
  let isDown = true;
  const { exchange, errors } = blobHarness({
    onStored: (receipts) => {
      if (isDown) throw new Error('down');
      told.push(...receipts);
    },
    onLost: (lost) => told.push(lost),
  });
  const id = idAt();
  const contents = { spanCount: 2, bytes: 30, page: GOOD_ID, seq: 1, traces: [] };
  const stored = [{ id, ...contents }, ...NO_IDS.map((one) => ({ id: one, ...contents }))];
  const first = await exchange({ stored, wants: [{ id: idAt(), bytes: 9 }], lost: { paused: 1 } });
  assert.deepEqual([first.status, first.body.retell, first.body.uploads.length], [200, true, 1]);
  assert.deepEqual([told.splice(0), errors.length], [[{ paused: 1 }], 1]);
  isDown = false;
  const second = await exchange({ stored });
  assert.equal(second.body.retell, undefined);
  assert.deepEqual(told, [{ key: datedKey(id), token: '', ...contents }]);
});

test('blob exchange: those who are paused finish what they have begun', async () => {
  const { exchange } = blobHarness({ config: () => ({ paused: true, rules: [] }) });
  const [fresh, begun] = [idAt(), idAt()];
  const { body } = await exchange({
    wants: [
      { id: fresh, bytes: 9 },
      { id: begun, bytes: 9, again: true },
    ],
  });
  assert.deepEqual(
    body.uploads.map(({ id }) => id),
    [begun],
  );
  assert.equal(body.config.paused, true);
});

test('blob exchange: where the store takes nothing from outside the relay is named, and what is there is told', async () => {
  const { exchange, relay, storage } = blobHarness();
  Object.assign(storage, { presign: undefined });
  const relayOnly = blobHarness({ storage });
  const [there, missing] = [idAt(), idAt()];
  await relay(there);
  const wants = [there, missing].map((id) => ({ id, bytes: 9, again: true as const }));
  const { body } = await relayOnly.exchange({ wants: [...wants, { id: idAt(), bytes: 9 }] });
  assert.deepEqual([body.relay, body.uploads], [true, [{ id: there, stored: true }]]);
  assert.equal((await exchange({})).status, 200);
});
