import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { blobHarness, GZIP, idAt, JSON_TEXT, NO_IDS } from '../testing/blob-harness.js';
import { NOW_MILLIS, SECRET } from '../testing/ingest-harness.js';
import { memoryQuota } from './memory-quota.js';
import { uuidV7 } from './uuid.js';

test('blob exchange: an id that is none is refused, and costs no other anything', async () => {
  for (const options of [{}, { secret: SECRET }]) {
    const { exchange, relay, storage } = blobHarness({ maxUploads: 100, ...options });
    const good = idAt();
    const wants = [...NO_IDS.map((id) => ({ id, bytes: 9, again: true as const })), { id: good, bytes: 9 }];
    const { status, body } = await exchange({ wants });
    assert.equal(status, 200);
    assert.equal(body.uploads.length, NO_IDS.length + 1);
    for (const upload of body.uploads) {
      if (upload.id === good) assert.ok('url' in upload);
      else
        assert.ok(
          'error' in upload && upload.error.code === 'malformed' && /UUIDv7/.test(upload.error.message),
        );
    }
    for (const id of NO_IDS) assert.equal((await relay(id)).status, 400, id);
    assert.deepEqual(
      storage.calls.filter((call) => !call.startsWith('presign')),
      [],
    );
  }
});

test('blob exchange: lengths that no upload takes are refused for the want alone', async () => {
  const harness = blobHarness({ maxUploadBytes: 2_000 });
  harness.storage.uploadLength = 'exact';
  const [fits, none, large] = [idAt(), idAt(), idAt()];
  const wants = [2_000, 0, 2_001].map((bytes, index) => ({
    id: [fits, none, large][index] as string,
    bytes,
  }));
  const { body } = await harness.exchange({ wants });
  const told = new Map(body.uploads.map((upload) => [upload.id, upload]));
  assert.deepEqual(
    [fits, none, large].map((id) => Object.keys(told.get(id) ?? {}).includes('error')),
    [false, true, true],
  );
  assert.match(JSON.stringify(told.get(large)), /too_large.*2000 bytes/);
  assert.match(JSON.stringify(told.get(none)), /malformed/);
  harness.storage.uploadLength = 'range';
  const ranged = await harness.exchange({ wants: [{ id: fits, bytes: 5 }] });
  assert.equal((ranged.body.uploads[0] as { maxBytes?: number }).maxBytes, 2_000);
  for (const bad of [
    [{ id: fits }],
    [{ id: fits, bytes: -1 }],
    [{ id: fits, bytes: 1.5 }],
    [{ bytes: 1 }],
    [null],
    {},
  ]) {
    assert.equal((await harness.exchange({ wants: bad as never })).status, 400, JSON.stringify(bad));
  }
});

test('blob exchange: ids and bytes are counted each time, and what does not fit is said for each', async () => {
  const of = (request: Request) => request.headers.get('x-visitor') ?? undefined;
  const harness = blobHarness({
    quota: {
      store: memoryQuota({ now: () => NOW_MILLIS }),
      perSubject: { of, objects: 5, bytes: 10_000, relayedBytes: 150 },
      perProject: { objects: 8, bytes: 20_000, relayedBytes: 300 },
    },
    maxUploads: 100,
  });
  harness.storage.uploadLength = 'exact';
  const evil = { 'x-visitor': 'evil' };
  const codes = async (lengths: number[], headers = {}, again = false) => {
    const wants = lengths.map((bytes) => ({ id: idAt(), bytes, ...(again ? { again } : {}) }));
    const { status, headers: said, body } = await harness.exchange({ wants: wants as never }, headers);
    assert.equal(status, 200);
    const isShort = body.uploads.some((one) => 'error' in one);
    assert.equal(said.get('retry-after'), isShort ? '3600' : null);
    return wants
      .map(({ id }) => body.uploads.find((one) => one.id === id))
      .map((one) => (one && 'error' in one ? one.error.code : 'url'));
  };
  assert.deepEqual(await codes([6_000, 5_000, 4_000], evil), ['url', 'rate_limited', 'url']);
  for (let round = 0; round < 50; round += 1) {
    await codes([9_000, 9_000], evil, round % 2 === 0);
    await harness.relay(idAt(), GZIP, evil);
    await harness.relay(idAt(), JSON_TEXT, evil);
  }
  assert.ok([...harness.storage.objects.values()].length <= 3);
  assert.deepEqual(await codes([5_000, 5_000]), ['url', 'url'], 'others go on');
  assert.equal((await harness.relay(idAt())).status, 200);
  assert.equal((await codes([1]))[0], 'rate_limited', 'until the project has nothing left');
});

test('blob exchange: who asks what is there is charged for each look, and others go on', async () => {
  const harness = blobHarness({
    quota: {
      store: memoryQuota({ now: () => NOW_MILLIS }),
      perSubject: { of: (request) => request.headers.get('x-visitor') ?? undefined, objects: 3 },
    },
  });
  const there = idAt();
  await harness.relay(there);
  const ask = async (visitor: string) => {
    const wants = [{ id: there, bytes: 9, again: true as const }];
    const [upload] = (await harness.exchange({ wants }, { 'x-visitor': visitor })).body.uploads;
    return upload && 'error' in upload ? upload.error.code : upload && 'stored' in upload;
  };
  assert.deepEqual([await ask('a'), await ask('a'), await ask('a')], [true, true, true]);
  harness.storage.calls.length = 0;
  assert.equal(await ask('a'), 'rate_limited');
  assert.deepEqual(harness.storage.calls, [], 'and nothing is looked for');
  assert.equal(await ask('b'), true);
});

test('blob exchange: an id twice is answered once; more than the operator gives is left for the next time', async () => {
  const harness = blobHarness({ maxUploads: 3 });
  const { exchange } = harness;
  harness.storage.uploadLength = 'exact';
  const id = idAt();
  const twice = await exchange({
    wants: [
      { id, bytes: 9 },
      { id, bytes: 10 },
    ],
  });
  assert.deepEqual(
    twice.body.uploads.map((one) => 'bytes' in one && one.bytes),
    [9],
    'as it came first',
  );
  await harness.relay(id);
  const looked = await exchange({
    wants: [
      { id, bytes: 9, again: true },
      { id, bytes: 9 },
    ],
  });
  assert.deepEqual(looked.body.uploads, [{ id, stored: true }], 'looked for if either says so');
  const wants = Array.from({ length: 10 }, () => ({ id: idAt(), bytes: 9 }));
  assert.equal((await exchange({ wants })).body.uploads.length, 3);
  assert.equal((await exchange({ wants: Array(101).fill({ id, bytes: 9 }) })).status, 400);
});

test('blob exchange: whatever is sent, nothing breaks, and nothing is signed or stored but under its own id', async () => {
  const { exchange, relay, storage, errors } = blobHarness();
  const KEY =
    /^otlp\/v1\/default\/production\/year=\d{4}\/month=\d\d\/day=\d\d\/hour=\d\d\/minute=\d\d\/traces_([0-9a-f-]{36})\.json\.gz$/;
  const time = fc.oneof(
    fc.constant(NOW_MILLIS),
    fc.nat(2 ** 31 - 1).map((n) => n * 131_071),
  );
  const id = fc.oneof(
    fc.tuple(time, fc.uint8Array({ minLength: 10, maxLength: 10 })).map(([at, random]) => uuidV7(at, random)),
    fc.uuid(),
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom(...NO_IDS),
  );
  const mostly = <T>(arbitrary: fc.Arbitrary<T>) =>
    fc.oneof({ weight: 12, arbitrary }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 1 }) });
  const want = fc.record(
    { id: mostly(id), bytes: mostly(fc.nat(2_000_000)), again: mostly(fc.boolean()) },
    { requiredKeys: ['id', 'bytes'] },
  );
  const receipt = fc.record({
    id: mostly(id),
    spanCount: fc.nat(),
    bytes: fc.nat(),
    traces: fc.constant([]),
  });
  const body = fc.record(
    {
      wants: mostly(fc.array(mostly(want), { maxLength: 5 })),
      stored: mostly(fc.array(mostly(receipt), { maxLength: 3 })),
      lost: mostly(fc.dictionary(fc.constantFrom('paused', '__proto__'), fc.nat())),
      page: fc.jsonValue({ maxDepth: 1 }),
      client: fc.jsonValue({ maxDepth: 1 }),
    },
    { requiredKeys: [] },
  );
  const statuses = new Set<number>();
  await fc.assert(
    fc.asyncProperty(body, id, async (said, relayed) => {
      storage.calls.length = 0;
      const { status, body: answer } = await exchange(said as never);
      statuses.add(status);
      assert.ok(status === 200 || status === 400, `${status}`);
      for (const upload of answer.uploads ?? []) {
        if (!('url' in upload)) continue;
        assert.equal(KEY.exec(new URL(upload.url).pathname.slice('/bucket/'.length))?.[1], upload.id);
      }
      const { status: relayStatus } = await relay(relayed);
      assert.ok(relayStatus === 200 || relayStatus === 400, `${relayStatus}`);
      for (const call of storage.calls)
        assert.match(
          call.split(' ')[1] ?? '',
          /^(otlp\/v1\/default\/production|spandrel-state\/done\/otlp\/v1\/default\/production)\//,
        );
      for (const key of storage.objects.keys()) assert.match(key, KEY);
      assert.deepEqual(errors.splice(0), []);
    }),
    { numRuns: 500 },
  );
  assert.deepEqual([...statuses].sort(), [200, 400]);
});
