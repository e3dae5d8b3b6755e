/** Uploads whose length the server signs, and stores that take nothing but relays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { assertLedger, type TestClient, testClient } from '../testing/client.js';
import { isExchange, isRelay, isUpload } from '../testing/cloud.js';
import { settle, type TestRequest, until } from '../testing/platform.js';

/** A name that compresses to about so many bytes; below 11,000 that takes no `CompressionStream`, nor its time. */
const noise = ({ platform }: TestClient, bytes: number): string =>
  Buffer.from(platform.randomBytes(Math.ceil(bytes * 0.98))).toString('base64');
const lengthOf = ({ init }: TestRequest): number => (init.body as Uint8Array).length;
const uploadsOf = ({ platform }: TestClient): TestRequest[] => platform.requests.filter(isUpload);

/** Ends a span with this name and gives it time to be stored. */
async function store(client: TestClient, name: string, millis = 15_000): Promise<void> {
  client.startSpan(name).end();
  await client.platform.advance(millis);
}

test('bucket lengths: a blob asks with its own length, is not padded, and a receipt says it', async () => {
  const client = testClient({ served: true });
  await store(client, 'small');
  const [upload] = uploadsOf(client);
  assert.equal(client.cloud.exchanges[0]?.wants[0]?.bytes, lengthOf(upload as TestRequest));
  await client.processor.forceFlush();
  assert.deepEqual(
    client.cloud.receipts.map(({ bytes }) => bytes),
    [...client.cloud.objects.values()].map(({ length }) => length),
  );
});

test('bucket lengths: a server with classes of its own has them taken by padding, and every reader inflates that', async () => {
  const client = testClient({ served: true, scheduledDelayMillis: 0 });
  client.cloud.lengthFor = () => 32_768;
  for (let blobs = 0; blobs < 5; blobs++) await store(client, 'small');
  assert.equal(client.processor.stats().spans.stored, 5);
  assert.deepEqual(new Set(uploadsOf(client).map(lengthOf)), new Set([32_768]));
  for (const bytes of client.cloud.objects.values()) {
    assert.match(gunzipSync(bytes).toString(), /"name":"small"/);
  }
  await client.processor.forceFlush();
  assert.ok(client.cloud.exchanges.length < 15, `${client.cloud.exchanges.length} exchanges`);
});

test('bucket lengths: ranges and uploads without a length take the bytes as they are', async () => {
  for (const uploadLength of ['range', undefined] as const) {
    const client = testClient();
    client.cloud.uploadLength = uploadLength;
    client.cloud.serve();
    await store(client, 'small');
    const [bytes = new Uint8Array()] = client.cloud.objects.values();
    assert.equal(bytes[3], 0, 'no extra field');
    assert.equal(client.processor.stats().spans.stored, 1);
  }
});

for (const [relay, uploadLength] of [
  ['auto', 'exact'],
  ['never', 'exact'],
  ['auto', 'range'],
  ['never', 'range'],
] as const) {
  test(`bucket lengths: relay "${relay}": more than the server signs (${uploadLength}) is ${relay === 'auto' ? 'relayed' : 'too large'}`, async () => {
    const client = testClient({ relay, scheduledDelayMillis: 5_000 });
    Object.assign(client.cloud, { uploadLength, maxUploadBytes: 5_000 });
    client.cloud.serve();
    await store(client, 'small');
    await store(client, noise(client, 9_000), 60_000);
    const { spans } = client.processor.stats();
    if (relay === 'auto') assert.deepEqual([spans.stored, spans.dropped], [2, {}]);
    else assert.deepEqual([spans.stored, spans.dropped], [1, { 'too-large': 1 }]);
    assertLedger(client.processor.stats(), 2);
    await store(client, 'after');
    assert.equal(client.processor.stats().spans.waiting, 0);
  });
}

test('bucket lengths: a server that gives one upload at a time serves all in the end', async () => {
  const client = testClient({ maxTracesPerBlob: 1 });
  client.cloud.maxUploads = 1;
  client.cloud.serve();
  for (let blobs = 0; blobs < 8; blobs++) client.startSpan(noise(client, 3_000 + 900 * blobs)).end();
  await client.platform.advance(120_000);
  assert.equal(client.processor.stats().spans.stored, 8);
  assertLedger(client.processor.stats(), 8);
});

/** What a hostile or broken server may say; `undefined` as it is, and JSON knows no infinity. */
const ABSURD: readonly unknown[] = [
  ...[0, -1, 1e308, 1.5, 64, 2 ** 53, Number.MAX_SAFE_INTEGER],
  ...['4096', '', 'x', null, [], [4_096], {}, true, false],
];

for (const relay of ['auto', 'never'] as const) {
  for (const field of ['bytes', 'maxBytes'] as const) {
    for (const value of ABSURD) {
      test(`bucket lengths: relay "${relay}": ${field} of ${JSON.stringify(value)} neither loops nor loses silently`, async () => {
        const client = testClient({ relay, scheduledDelayMillis: 0 });
        const { platform, cloud, processor } = client;
        let isMad = true;
        cloud.uploadLength = undefined;
        platform.onRequest = (request) => {
          const { answer } = request;
          if (isExchange(request) && isMad) {
            Object.assign(request, {
              answer(reply: { status: number; body: string }) {
                const body = JSON.parse(reply.body);
                const uploads = body.uploads.map((upload: object) => ({ ...upload, [field]: value }));
                answer({ ...reply, body: JSON.stringify({ ...body, uploads }) });
              },
            });
          }
          void cloud.answer(request);
        };
        client.endTrace(2);
        await platform.advance(600_000);
        const { length } = cloud.exchanges;
        assert.ok(length < 40, `${length} exchanges in ten minutes`);
        assertLedger(processor.stats(), 2);
        assert.equal(processor.stats().exceptions, 0);
        const { stored, waiting, dropped } = processor.stats().spans;
        if (relay === 'never' && dropped['too-large']) assert.equal(dropped['too-large'], 2);
        else assert.equal(stored + waiting, 2, JSON.stringify(dropped));
        // The server is mended.
        isMad = false;
        await platform.advance(600_000);
        assert.equal(processor.stats().spans.waiting, 0);
        assertLedger(processor.stats(), 2);
      });
    }
  }
}

test('bucket lengths: blobs of all lengths are each stored once', async () => {
  const client = testClient({ served: true, scheduledDelayMillis: 0, maxTracesPerBlob: 1 });
  for (let blobs = 0; blobs < 60; blobs++) {
    client.startSpan(noise(client, (blobs * 977) % 11_000)).end();
    await client.platform.advance((blobs % 7) * 900);
  }
  await client.platform.advance(120_000);
  const { spans } = client.processor.stats();
  assert.deepEqual([spans.stored, spans.waiting], [60, 0]);
  assert.equal(new Set(client.cloud.spanIds()).size, 60);
  assert.equal(client.cloud.spanIds().length, 60);
});

test('bucket lengths: blobs that are gone are not asked for for ever', async () => {
  const client = testClient({ scheduledDelayMillis: 0, maxOutboxBlobs: 1 });
  client.platform.onRequest = (request) => request.answer({ status: 503 });
  for (let blobs = 0; blobs < 20; blobs++) await store(client, noise(client, 7_000 + 190 * blobs), 2_000);
  client.cloud.serve();
  await client.platform.advance(600_000);
  const before = client.cloud.exchanges.length;
  await client.platform.advance(300_000);
  assert.equal(client.cloud.exchanges.length, before);
  const { spans } = client.processor.stats();
  assert.deepEqual([spans.stored + (spans.dropped['outbox-full'] ?? 0), spans.waiting], [20, 0]);
  assertLedger(client.processor.stats(), 20);
});

/** A client whose store takes nothing but relays. */
function relayOnly(options: Parameters<typeof testClient>[0] = {}): TestClient {
  const client = testClient({ scheduledDelayMillis: 0, ...options });
  client.cloud.relayOnly = true;
  client.cloud.serve();
  return client;
}

test('relay only: everything is relayed once the endpoint says so, and no uploads are wanted', async () => {
  const { platform, cloud, processor, endTrace } = relayOnly();
  for (let traces = 0; traces < 5; traces++) {
    endTrace();
    await platform.advance(10_000);
  }
  assert.equal(processor.stats().spans.stored, 5);
  assert.equal(platform.requests.filter(isUpload).length, 0);
  assert.equal(platform.requests.filter(isRelay).length, 5);
  await platform.advance(70_000);
  const wants = cloud.exchanges.map(({ wants }) => wants.length);
  assert.deepEqual([wants[0], new Set(wants.slice(1))], [1, new Set([0])]);
  assert.equal(cloud.receipts.length, 5);
  assertLedger(processor.stats(), 5);
});

test('relay only: what was learnt lasts an hour', async () => {
  const { platform, cloud, processor, endTrace } = relayOnly();
  endTrace();
  await platform.advance(10_000);
  cloud.relayOnly = false;
  await platform.advance(60 * 60_000);
  endTrace();
  await platform.advance(10_000);
  assert.equal(platform.requests.filter(isUpload).length, 1);
  assert.equal(processor.stats().spans.stored, 2);
});

test('relay only: with relay "never" that is a trouble; blobs wait, nothing spins, and they go when that changes', async () => {
  const { platform, cloud, processor, endTrace } = relayOnly({ relay: 'never' });
  endTrace();
  await platform.advance(600_000);
  endTrace();
  await platform.advance(600_000);
  const { errors, spans } = processor.stats();
  assert.ok(errors.some(({ kind }) => kind === 'relay-only'));
  assert.ok(cloud.exchanges.length < 40, `${cloud.exchanges.length} exchanges in 20 minutes`);
  assert.deepEqual([spans.waiting, spans.dropped], [2, {}]);
  assert.equal(platform.requests.filter(isRelay).length, 0);
  cloud.relayOnly = false;
  await platform.advance(60 * 60_000);
  assert.equal(processor.stats().spans.stored, 2);
  assertLedger(processor.stats(), 2);
});

for (const relay of ['auto', 'always', 'never'] as const) {
  test(`leaving: relay "${relay}": what a page has goes ${relay === 'never' ? 'nowhere' : 'by one beacon'}, and is stored once if it was only hidden`, async () => {
    const { platform, cloud, processor, endTrace } = testClient({ relay, defers: true });
    endTrace();
    platform.page('leaving');
    assert.equal(platform.beacons.filter(isRelay).length, relay === 'never' ? 0 : 1);
    assert.equal(processor.stats().blobs.waiting, 1);
    cloud.serve();
    platform.page('visible');
    await platform.advance(10_000);
    assert.equal(processor.stats().spans.stored, 1);
    assert.equal(cloud.objects.size, 1);
    endTrace();
    await platform.advance(1_000);
    if (relay === 'never') assert.deepEqual(platform.deferred, []);
  });
}

test('leaving: what a beacon took is sent again under its id if the page lives on, also as it leaves later', async () => {
  const { platform, cloud, processor, endTrace } = testClient();
  platform.onRequest = (request) => void cloud.answer(request, 'overloaded');
  endTrace();
  platform.page('hidden');
  await settle();
  assert.equal(platform.beacons.filter(isRelay).length, 1);
  platform.page('leaving');
  assert.equal(platform.beacons.filter(isRelay).length, 1, 'hidden and pagehide together');
  platform.page('visible');
  await platform.advance(30_000);
  assert.ok(platform.requests.some(isExchange), 'not tried again');
  platform.page('leaving');
  assert.equal(platform.beacons.filter(isRelay).length, 2);
  for (const beacon of platform.beacons.filter(isRelay)) await cloud.arrive(beacon);
  cloud.serve();
  platform.page('visible');
  await platform.advance(600_000);
  assert.equal(processor.stats().spans.stored, 1);
  assert.equal(cloud.objects.size, 1);
});

test('leaving: what our share of the keepalive bytes has no room for goes by a plain request, and waits', async () => {
  const { platform, processor, endTrace } = testClient();
  platform.keepalive.reserve(platform.keepalive.freeBytes);
  endTrace();
  platform.page('leaving');
  assert.equal(platform.beacons.length, 0);
  const [request] = platform.requests.filter(isRelay);
  assert.ok(request && !request.init.keepalive);
  assert.equal(processor.stats().blobs.waiting, 1);
});

test('leaving: beacons leave a quarter of the browser’s 64 KiB to the page, and count for five seconds', async () => {
  const client = testClient({ scheduledDelayMillis: 0, maxTracesPerBlob: 1 });
  for (let blob = 0; blob < 20; blob++) client.startSpan(noise(client, 6_000)).end();
  client.platform.page('leaving');
  const bytes = client.platform.beacons
    .map(({ body }) => (body as Blob).size ?? (body as Uint8Array).length)
    .reduce((sum, size) => sum + size, 0);
  assert.ok(bytes > 20_000 && bytes <= 49_152 + 12_288, `${bytes} bytes`);
  assert.ok(client.platform.requests.filter(isRelay).length > 0);
  const free = client.platform.keepalive.freeBytes;
  client.platform.page('visible');
  await client.platform.advance(5_000);
  assert.ok(client.platform.keepalive.freeBytes > free);
});

test('leaving: beside large bytes, receipts go without their traces', async () => {
  const client = testClient({ served: true, scheduledDelayMillis: 0 });
  const { platform, cloud, processor, endTrace } = client;
  for (let traces = 0; traces < 60; traces++) endTrace();
  await platform.advance(2_000);
  await until(() => processor.stats().spans.stored === 60);
  platform.keepalive.reserve(platform.keepalive.freeBytes - 2_000);
  platform.page('leaving');
  await settle();
  assert.deepEqual(
    cloud.receipts.map(({ spanCount, traces }) => [spanCount, traces.length]),
    [[60, 0]],
  );
});

test('leaving: a hidden page obeys its own patience when further spans come', async () => {
  const { platform, cloud, endTrace } = testClient({ scheduledDelayMillis: 0 });
  platform.onRequest = (request) => void cloud.answer(request, isExchange(request) ? 'done' : 'overloaded');
  endTrace();
  await platform.advance(1_000);
  platform.page('hidden');
  const before = platform.requests.filter(isUpload).length;
  for (let traces = 0; traces < 10; traces++) {
    endTrace();
    await platform.advance(700);
  }
  const attempts = platform.requests.filter(isUpload).length - before;
  assert.ok(attempts < 25, `${attempts} uploads of 11 blobs in 7 s`);
});
