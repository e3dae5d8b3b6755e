import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type {
  BlobExchangeRequest,
  BlobExchangeResponse,
  BlobRelayResponse,
  ErrorResponse,
} from '../protocol.js';
import { HOSTILE_GZIP, HOSTILE_JSON } from '../testing/hostile-bodies.js';
import { ENDPOINT, ingestHarness, NOW_MILLIS, ORIGIN, SECRET } from '../testing/ingest-harness.js';
import { storageDown } from '../testing/memory-storage.js';
import { folderInKey, writeManifest } from './forwarded.js';
import { createIngest } from './ingest.js';
import type { IngestOptions } from './ingest-options.js';
import { memoryQuota } from './memory-quota.js';
import { s3 } from './s3.js';
import { uuidV7 } from './uuid.js';

const DAY_MILLIS = 86_400_000;
const JSON_TEXT = '{"resourceSpans":[{"scopeSpans":[]}]}';
const GZIP = new Uint8Array(gzipSync(JSON_TEXT));
const UNDATED = 'year=1970/month=01/day=01/hour=00/minute=00';

let made = 0;
function idAt(atMillis = NOW_MILLIS): string {
  made += 1;
  const random = new Uint8Array(10);
  new DataView(random.buffer).setUint32(4, made);
  return uuidV7(atMillis, random);
}

/** An endpoint without a secret, spoken to by protocol 2. */
function harness2(options: Partial<IngestOptions> = {}) {
  const harness = ingestHarness(options, false);
  const answerOf = async (init: Parameters<typeof harness.send>[0]) => {
    const { status, headers, body } = await harness.send(init);
    return {
      status,
      headers,
      body: body as unknown as BlobExchangeResponse & BlobRelayResponse & ErrorResponse,
    };
  };
  return {
    ...harness,
    exchange: (said: Partial<BlobExchangeRequest>, headers: Record<string, string> = {}) =>
      answerOf({ body: JSON.stringify({ v: 2, ...said }), headers }),
    relay: (id: string, body: BodyInit = GZIP, headers: Record<string, string> = {}, more = '') =>
      answerOf({ query: `?relay=${encodeURIComponent(id)}${more}`, body, headers }),
    /** The key that an upload's URL is for. */
    keyOf: async (id: string) => {
      const { body } = await harness2Exchange(answerOf, id);
      const [upload] = body.uploads;
      assert.ok(upload && 'url' in upload, JSON.stringify(upload));
      return new URL(upload.url).pathname.slice('/bucket/'.length);
    },
  };
}
function harness2Exchange(
  send: (init: { body: string }) => Promise<{ body: BlobExchangeResponse }>,
  id: string,
): Promise<{ body: BlobExchangeResponse }> {
  return send({ body: JSON.stringify({ v: 2, wants: [{ id, bytes: 100 }] }) });
}

/** By hand, from the time in the id. */
function datedKey(id: string, root = 'otlp/v1/default/production'): string {
  const at = new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16));
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `year=${at.getUTCFullYear()}/month=${two(at.getUTCMonth() + 1)}/day=${two(at.getUTCDate())}`;
  return `${root}/${day}/hour=${two(at.getUTCHours())}/minute=${two(at.getUTCMinutes())}/traces_${id}.json.gz`;
}

test('blob exchange: an id decides its key, whoever asks, by whichever way, at whichever endpoint', async () => {
  const id = idAt(NOW_MILLIS - 3 * DAY_MILLIS);
  const key = datedKey(id);
  const one = harness2();
  assert.equal(await one.keyOf(id), key);
  assert.equal(await one.keyOf(id), key, 'the same again');
  one.clock.nowMillis += 2 * DAY_MILLIS;
  assert.equal(await one.keyOf(id), key, 'later');
  assert.equal(await harness2({ secret: SECRET }).keyOf(id), key, 'with a secret');
  const page = { id: '0190a5b0-7c3e-7cc3-98c4-dc0c0c07398f', sealed: 0, created: 0, adopted: 0 };
  const { body } = await one.exchange({
    client: '../../x',
    page: { ...page, stored: 0, waiting: 0, dropped: 0, handedOver: 0 },
    wants: [{ id, bytes: 1 }],
  });
  assert.ok(JSON.stringify(body.uploads).includes(key));
  const relayed = await one.relay(id);
  assert.deepEqual(relayed.body, { v: 2, now: one.clock.nowMillis, id, created: true });
  assert.deepEqual([...one.storage.objects.keys()], [key]);
  const other = harness2({ project: 'shop', prefix: 'in', environment: 'test' });
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
  const { keyOf, relay, storage } = harness2();
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

const GOOD_ID = '0190a5b0-7c3e-7cc3-98c4-dc0c0c07398f';
// No id at all, of another version or variant, spelled otherwise, with something around it, paths, names of JavaScript's.
const NO_IDS = [
  ...['', 'x', '0', 'undefined', '__proto__', 'constructor', '../../etc/passwd', '..', '/', '%2e%2e', 'a/b'],
  ...[GOOD_ID.toUpperCase(), GOOD_ID.replaceAll('-', ''), `{${GOOD_ID}}`, `urn:uuid:${GOOD_ID}`],
  ...[
    `${GOOD_ID}\n`,
    ` ${GOOD_ID}`,
    `${GOOD_ID}/`,
    `${GOOD_ID}/../x`,
    `../${GOOD_ID}`,
    `${GOOD_ID}\u0000`,
    `${GOOD_ID}.`,
  ],
  ...[GOOD_ID.replace('-7cc3', '-4cc3'), GOOD_ID.replace('-7cc3', '-8cc3'), GOOD_ID.replace('-98', '-c8')],
  ...[
    GOOD_ID.replace('0190', '٠١٩٠'),
    GOOD_ID.replace('a5', 'ａ5'),
    GOOD_ID.slice(1),
    `${GOOD_ID}0`,
    'f'.repeat(1_024),
  ],
];

test('blob exchange: an id that is none is refused, and costs no other anything', async () => {
  for (const options of [{}, { secret: SECRET }]) {
    const { exchange, relay, storage } = harness2({ maxUploads: 100, ...options });
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
  const harness = harness2({ maxUploadBytes: 2_000 });
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

test('blob exchange: who asks again is told what is there, before anything is signed', async () => {
  const { exchange, relay, storage, clock, errors } = harness2({ maxUploads: 100 });
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

test('blob relay: gzip as it is, JSON packed, under the key of the upload, once', async () => {
  const { relay, keyOf, storage, exchange } = harness2();
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

test('blob relay: what is hostile is refused and not stored', async () => {
  const { relay, storage } = harness2();
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
  const { relay, exchange, storage } = harness2({ projects });
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
  const { send, relay, storage } = harness2();
  const old = [
    await send({ body: '{"v":1,"want":1}' }),
    await send({ query: '?relay=1.abc.def', body: GZIP }),
    await send({ query: `?relay=&blob=${idAt()}`, body: GZIP }),
  ];
  for (const { status, body } of old) {
    assert.deepEqual([status, body.error.code], [400, 'malformed']);
    assert.match(body.error.message, /secret/);
  }
  assert.equal((await relay(idAt())).status, 200);
  assert.equal(storage.objects.size, 1);
  const both = ingestHarness();
  const { token } = await both.issue();
  assert.equal((await both.send({ query: `?relay=${token}`, body: GZIP })).status, 200);
});

test('blob exchange: receipts are told with the key of their id, and come again until they are taken', async () => {
  const told: unknown[] = [];
  let isDown = true;
  const { exchange, errors } = harness2({
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
  const { exchange } = harness2({ config: () => ({ paused: true, rules: [] }) });
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
  const { exchange, relay, storage } = harness2();
  Object.assign(storage, { presign: undefined });
  const relayOnly = harness2({ storage });
  const [there, missing] = [idAt(), idAt()];
  await relay(there);
  const wants = [there, missing].map((id) => ({ id, bytes: 9, again: true as const }));
  const { body } = await relayOnly.exchange({ wants: [...wants, { id: idAt(), bytes: 9 }] });
  assert.deepEqual([body.relay, body.uploads], [true, [{ id: there, stored: true }]]);
  assert.equal((await exchange({})).status, 200);
});

test('blob exchange: ids and bytes are counted each time, and what does not fit is said for each', async () => {
  const of = (request: Request) => request.headers.get('x-visitor') ?? undefined;
  const harness = harness2({
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

test('blob exchange: an id twice is answered once; more than the operator gives is left for the next time', async () => {
  const { exchange } = harness2({ maxUploads: 3 });
  const id = idAt();
  const twice = await exchange({
    wants: [
      { id, bytes: 9 },
      { id, bytes: 10 },
    ],
  });
  assert.equal(twice.body.uploads.length, 1);
  const wants = Array.from({ length: 10 }, () => ({ id: idAt(), bytes: 9 }));
  assert.equal((await exchange({ wants })).body.uploads.length, 3);
  assert.equal((await exchange({ wants: Array(101).fill({ id, bytes: 9 }) })).status, 400);
});

test('blob exchange: whatever is sent, nothing breaks, and nothing is signed or stored but under its own id', async () => {
  const { exchange, relay, storage, errors } = harness2();
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
