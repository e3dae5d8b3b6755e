import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { PresignedUpload } from '../protocol.js';
import { endpointUp, sending } from '../testing/bucket-steps.js';
import { assertLedger, type TestClient, testClient } from '../testing/client.js';
import { isExchange, isRelay, isUpload } from '../testing/cloud.js';
import { settle, type TestRequest } from '../testing/platform.js';

const sizesOf = ({ cloud }: TestClient): number[][] => cloud.exchanges.map(({ sizes = [] }) => sizes);
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

test('bucket lengths: the first blob takes a spare that is near, padded; the object is what was signed', async () => {
  const client = testClient({ served: true });
  await store(client, 'small');
  assert.deepEqual(sizesOf(client)[0], [8_192, 4_096, 1_024, 2_048, 1_024]);
  assert.deepEqual(uploadsOf(client).map(lengthOf), [1_024]);
  const [[key, bytes] = ['', new Uint8Array()]] = client.cloud.objects;
  assert.equal(bytes.length, 1_024);
  assert.match(gunzipSync(bytes).toString(), /"name":"small"/);
  assert.deepEqual(
    client.cloud.receipts.map((receipt) => [receipt.key, receipt.bytes]),
    [[key, 1_024]],
    'a receipt says what is stored',
  );
  assertLedger(client.processor.stats(), 1);
});

test('bucket lengths: a blob with no spare near asks with its own length, is not padded, and leaves the spares', async () => {
  const client = testClient({ served: true });
  await store(client, 'small');
  const before = client.cloud.exchanges.length;
  await store(client, noise(client, 10_500));
  const [upload] = uploadsOf(client).slice(-1);
  const asked = sizesOf(client)
    .slice(before)
    .find((sizes) => sizes.includes(lengthOf(upload as TestRequest)));
  assert.ok(asked, 'asked for exactly that');
  assert.equal(client.cloud.objects.size, 2);
  assertLedger(client.processor.stats(), 2);
});

test('bucket lengths: spares become such as the blobs are', async () => {
  const client = testClient({ served: true });
  for (let blobs = 0; blobs < 12; blobs++) await store(client, noise(client, 9_000));
  const before = client.cloud.exchanges.length;
  for (let blobs = 0; blobs < 8; blobs++) await store(client, noise(client, 9_000 + 10 * blobs));
  const sizes = sizesOf(client).slice(before).flat();
  const asked = sizes.filter((size) => size % 512);
  assert.ok(asked.length <= 4, `${sizes}: more than every second had to ask`);
  const lengths = uploadsOf(client).slice(-8).map(lengthOf);
  // Noise of 9,000 characters takes 12,200 bytes by fixed codes, and a spare is at most a step of 512 longer.
  assert.ok(Math.max(...lengths) < 12_700, `${lengths}`);
});

test('bucket lengths: a leaving page takes any spare that is large enough', async () => {
  const client = testClient();
  endpointUp(client);
  await store(client, 'first');
  client.startSpan(noise(client, 5_000)).end();
  client.platform.page('leaving');
  const [upload] = uploadsOf(client).slice(-1);
  assert.equal(lengthOf(upload as TestRequest), 8_192);
  assert.deepEqual(client.platform.beacons.filter(isRelay), []);
});

test('bucket lengths: what no spare of a leaving page takes is relayed', async () => {
  const client = testClient();
  endpointUp(client);
  await store(client, 'first');
  const before = uploadsOf(client).length;
  client.startSpan(noise(client, 10_500)).end();
  client.platform.page('leaving');
  assert.equal(uploadsOf(client).length, before);
  assert.equal(client.platform.beacons.filter(isRelay).length, 1);
});

test('bucket lengths: the keepalive budget counts the padding', async () => {
  const client = await sending();
  const { platform } = client;
  const [upload] = platform.pending.filter(isUpload);
  assert.equal(upload?.init.keepalive, true);
  const padded = lengthOf(upload as TestRequest);
  assert.equal(61_440 - platform.keepalive.freeBytes, padded);
});

test('bucket lengths: a renewed URL is asked for the blob’s own length', async () => {
  const client = await sending();
  const { platform, cloud } = client;
  await cloud.answer(platform.pending.find(isUpload) as TestRequest, 'forbidden');
  await settle();
  const { renew, sizes } = cloud.exchanges.at(-1) ?? {};
  assert.equal(renew?.length, 1);
  const [again] = platform.pending.filter(isUpload);
  assert.equal(lengthOf(again as TestRequest), sizes?.[0]);
  await cloud.answer(again as TestRequest);
  await settle();
  assertLedger(client.processor.stats(), 1);
  assert.equal(client.processor.stats().spans.stored, 1);
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
  test(`bucket lengths: relay "${relay}": more than the server signs (${uploadLength}) is asked for twice`, async () => {
    const client = testClient({ relay });
    Object.assign(client.cloud, { uploadLength, maxUploadBytes: 5_000 });
    client.cloud.serve();
    await store(client, 'small');
    const before = client.cloud.exchanges.length;
    await store(client, noise(client, 9_000), 60_000);
    const asked = sizesOf(client)
      .slice(before)
      .filter((sizes) => sizes.some((size) => size % 512 && size > 5_000));
    assert.equal(asked.length, 2);
    const { spans } = client.processor.stats();
    if (relay === 'auto') assert.deepEqual([spans.stored, spans.dropped], [2, {}]);
    else assert.deepEqual([spans.stored, spans.dropped], [1, { 'too-large': 1 }]);
    assertLedger(client.processor.stats(), 2);
    await store(client, 'after');
    assert.equal(client.processor.stats().spans.waiting, 0);
  });
}

test('bucket lengths: a server with classes of its own has them taken, however large', async () => {
  const client = testClient({ served: true });
  client.cloud.lengthFor = () => 32_768;
  for (let blobs = 0; blobs < 5; blobs++) await store(client, 'small');
  assert.equal(client.processor.stats().spans.stored, 5);
  assert.deepEqual(new Set(uploadsOf(client).map(lengthOf)), new Set([32_768]));
  assert.ok(client.cloud.exchanges.length < 15, `${client.cloud.exchanges.length} exchanges`);
});

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
      test(`bucket lengths: relay "${relay}": ${field} of ${JSON.stringify(value)} neither loops nor loses`, async () => {
        const client = testClient({ relay, scheduledDelayMillis: 0 });
        const { platform, cloud, processor } = client;
        let isMad = true;
        let unsigned = 0;
        platform.onRequest = (request) => {
          if (!isExchange(request) || !isMad) return void cloud.answer(request);
          const { answer } = request;
          const mad = (upload: PresignedUpload): object => {
            const { bytes, maxBytes, ...rest } = upload;
            return { ...rest, [field]: value };
          };
          cloud.uploadLength = undefined;
          Object.assign(request, {
            answer(reply: { status: number; body: string }) {
              const body = JSON.parse(reply.body);
              unsigned++;
              answer({ ...reply, body: JSON.stringify({ ...body, uploads: body.uploads.map(mad) }) });
            },
          });
          void cloud.answer(request);
        };
        client.endTrace(2);
        await platform.advance(600_000);
        assert.ok(unsigned < 40, `${unsigned} exchanges in ten minutes`);
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

test('bucket lengths: renewals that no blob fits end in the relay under its key, or are given up', async () => {
  for (const relay of ['auto', 'never'] as const) {
    const client = await sending({ relay });
    const { platform, cloud, processor } = client;
    cloud.lengthFor = () => 64;
    const first = platform.pending.find(isUpload) as TestRequest;
    platform.onRequest = (request) => void cloud.answer(request);
    await cloud.answer(first, 'forbidden');
    await platform.advance(60_000);
    const renewals = cloud.exchanges.filter(({ renew }) => renew.length).length;
    assert.equal(renewals, 2, relay);
    const { spans } = processor.stats();
    if (relay === 'auto') {
      assert.equal(spans.stored, 1);
      assert.deepEqual([...cloud.objects.keys()], [new URL(first.url).pathname.slice(1)]);
    } else assert.deepEqual(spans.dropped, { 'too-large': 1 });
    assertLedger(processor.stats(), 1);
  }
});

test('bucket lengths: inlined uploads have lengths as well', async () => {
  const uploads = testClient().cloud.issue(3, [1_024, 2_048, 8_192]);
  const client = testClient({ uploads, poolReserve: 0 });
  client.startSpan('last words').end();
  client.platform.page('leaving');
  assert.deepEqual(uploadsOf(client).map(lengthOf), [1_024]);
});

test('bucket lengths: many pages’ worth of blobs of all lengths are each stored once', async () => {
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
  assertLedger(client.processor.stats(), 60);
});

test('bucket lengths: blobs that are gone are not asked for for ever', async () => {
  const client = testClient({ scheduledDelayMillis: 0, maxOutboxBlobs: 1 });
  client.platform.onRequest = (request) => request.answer({ status: 503 });
  for (let blobs = 0; blobs < 20; blobs++) await store(client, noise(client, 7_000 + 190 * blobs), 2_000);
  client.cloud.serve();
  await client.platform.advance(300_000);
  const before = client.cloud.exchanges.length;
  await client.platform.advance(300_000);
  assert.equal(client.cloud.exchanges.length, before);
  const { spans } = client.processor.stats();
  assert.deepEqual([spans.stored + (spans.dropped['outbox-full'] ?? 0), spans.waiting], [20, 0]);
  assertLedger(client.processor.stats(), 20);
});
