import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { answerNext, sending } from '../testing/bucket-steps.js';
import { assertLedger, testClient } from '../testing/client.js';
import { isExchange, isRelay, isUpload } from '../testing/cloud.js';
import { settle } from '../testing/platform.js';

test('bucket: an upload is exactly what the server named, without credentials', async () => {
  const { platform, cloud } = await sending();
  const request = platform.pending.find(isUpload);
  const { body, signal, ...init } = request?.init ?? {};
  assert.deepEqual(init, {
    method: 'PUT',
    headers: { 'if-none-match': '*' },
    credentials: 'omit',
    referrerPolicy: 'no-referrer',
    redirect: 'error',
    keepalive: true,
  });
  assert.equal(signal, undefined);
  assert.equal(JSON.parse(gunzipSync(body as Uint8Array).toString()).resourceSpans.length, 1);
  assert.equal(cloud.objects.size, 0);
});

test('bucket: a POST policy becomes a form with the fields first and the file last', async () => {
  const client = testClient({ scheduledDelayMillis: 0 });
  client.cloud.method = 'POST';
  client.cloud.serve();
  client.endTrace();
  await client.platform.advance(1_000);
  const form = client.platform.requests.find(isUpload)?.init.body as FormData;
  assert.deepEqual([...form.keys()], ['key', 'file']);
  assert.equal(client.processor.stats().spans.stored, 1);
});

for (const [fate, becomes] of [
  ['done', 'stored'],
  ['nonsense', 'stored'],
  ['lost-before', 'waiting'],
  ['lost-after', 'waiting'],
  ['overloaded', 'waiting'],
  ['patience', 'waiting'],
  ['forbidden', 'waiting'],
  ['missing', 'waiting'],
  ['refused', 'rejected'],
] as const) {
  test(`bucket: an upload that is ${fate} is ${becomes}, and stored once in the end unless rejected`, async () => {
    const client = await sending();
    await answerNext(client, isUpload, fate);
    const { spans } = client.processor.stats();
    assert.deepEqual(
      { stored: spans.stored, waiting: spans.waiting, rejected: spans.dropped.rejected ?? 0 },
      { stored: 0, waiting: 0, rejected: 0, [becomes]: 1 },
    );
    client.cloud.serve();
    await client.platform.advance(600_000);
    assert.equal(client.cloud.objects.size, becomes === 'rejected' ? 0 : 1);
    assertLedger(client.processor.stats(), 1);
    for (const keys of client.cloud.keysOf.values()) assert.equal(keys.size, 1);
  });
}

test('bucket: a refused URL is renewed for the same key, once; then it waits a minute', async () => {
  const client = await sending();
  const first = await answerNext(client, isUpload, 'forbidden');
  const second = await answerNext(client, isUpload, 'forbidden');
  assert.notEqual(second.url, first.url);
  assert.equal(new URL(second.url).pathname, new URL(first.url).pathname);
  await client.platform.advance(59_000);
  assert.equal(client.platform.pending.filter(isUpload).length, 0);
  await client.platform.advance(3_000);
  await answerNext(client, isUpload);
  assert.equal(client.processor.stats().spans.stored, 1);
});

test('bucket: a key that the endpoint forgot is replaced only if nothing can be under it', async () => {
  for (const [fate, expected] of [
    ['forbidden', { stored: 1 }],
    ['lost-after', { rejected: 1 }],
  ] as const) {
    const client = await sending();
    const { platform, cloud, processor } = client;
    platform.onRequest = (request) => {
      if (!isExchange(request)) return;
      const uploads = cloud.issue(3);
      const config = { paused: false, rules: [] };
      request.answer({ status: 200, body: JSON.stringify({ v: 1, uploads, confirmed: [], config }) });
    };
    await answerNext(client, isUpload, fate);
    if (fate === 'lost-after') platform.jump(cloud.expiresInMs);
    await platform.advance(5_000);
    const next = platform.pending.find(isUpload);
    if (next) await cloud.answer(next);
    await settle();
    const { stored, dropped } = processor.stats().spans;
    assert.deepEqual({ ...(stored ? { stored } : {}), ...dropped }, expected);
    assert.equal(cloud.objects.size, 1);
  }
});

test('bucket: inlined uploads of a cached page: a key that is taken is left, without a loop', async () => {
  const inlined = testClient().cloud.issue(3);
  const client = await sending({ uploads: inlined, poolReserve: 0 });
  const { platform, cloud, processor } = client;
  const [first] = inlined;
  (cloud.objects as Map<string, Uint8Array>).set(first?.key ?? '', new Uint8Array());
  platform.onRequest = (request) => {
    if (isExchange(request)) return;
    if (platform.requests.length < 100) request.answer({ status: 412 });
  };
  platform.pending.find(isUpload)?.answer({ status: 412 });
  await platform.advance(3_000);
  assert.ok(platform.requests.length < 10, `${platform.requests.length} requests`);
  assert.equal(
    processor.stats().errors.some(({ kind }) => kind === 'key-taken'),
    true,
  );
  assertLedger(processor.stats(), 1);
});

test('bucket: URLs that live too short for use are not asked for in a loop', async () => {
  const client = testClient({ scheduledDelayMillis: 0 });
  const { platform, cloud } = client;
  cloud.expiresInMs = 1_000;
  platform.onRequest = (request) => {
    platform.jump(1_000);
    if (platform.requests.length < 100) void cloud.answer(request);
  };
  client.endTrace();
  await platform.advance(3_000);
  assert.ok(platform.requests.length < 15, `${platform.requests.length} requests`);
});

test('bucket: after two opaque failures the relay is used, and an unanswered relay is never followed by a fresh key', async () => {
  const client = await sending();
  const { platform, cloud, processor } = client;
  await answerNext(client, isUpload, 'lost-before');
  await platform.advance(2_000);
  await answerNext(client, isUpload, 'lost-before');
  assert.ok(processor.stats().errors.some(({ kind }) => kind === 'bucket-blocked'));
  await platform.advance(10_000);
  await answerNext(client, isRelay);
  client.endTrace();
  await platform.advance(1_000);
  await answerNext(client, isRelay, 'lost-after');
  // Over the five minutes of avoiding the bucket, and then some.
  for (let round = 0; round < 40; round++) {
    await platform.advance(10_000);
    const again = platform.pending.find(isRelay);
    if (again) await cloud.answer(again, 'lost-before');
  }
  cloud.serve();
  await platform.advance(600_000);
  assert.equal(processor.stats().spans.stored, 2);
  for (const keys of cloud.keysOf.values()) assert.equal(keys.size, 1, [...keys].join(' and '));
});

test('bucket: a relay that refuses leaves the way to the bucket open', async () => {
  const client = await sending({ uploads: [] });
  const { platform, processor } = client;
  await answerNext(client, isUpload, 'lost-before');
  await platform.advance(2_000);
  await answerNext(client, isUpload, 'lost-before');
  client.endTrace();
  for (let round = 0; round < 40; round++) {
    await platform.advance(10_000);
    const relay = platform.pending.find(isRelay);
    if (relay) relay.answer({ status: 404 });
  }
  client.cloud.serve();
  await platform.advance(600_000);
  assert.equal(processor.stats().spans.stored, 2);
  assert.equal(platform.requests.filter(isUpload).length >= 4, true);
});

test('bucket: the kill switch drops what waits and ends the asking', async () => {
  const client = testClient({ scheduledDelayMillis: 0 });
  client.cloud.paused = true;
  client.cloud.serve();
  client.endTrace();
  await client.platform.advance(1_000);
  assert.deepEqual(client.processor.stats().spans.dropped, { paused: 1 });
  assert.equal(client.processor.stats().state, 'paused');
  const { length } = client.platform.requests;
  client.endTrace();
  await client.platform.advance(3_600_000);
  assert.deepEqual(client.processor.stats().spans.dropped, { paused: 2 });
  assert.ok(client.platform.requests.length <= length + 2, 'the endpoint is still asked');
});

test('bucket: a page that was offline goes straight to the bucket again', async () => {
  const client = await sending();
  const { platform } = client;
  await answerNext(client, isUpload, 'lost-before');
  await platform.advance(2_000);
  await answerNext(client, isUpload, 'lost-before');
  await platform.advance(10_000);
  await answerNext(client, isRelay, 'lost-before');
  await platform.advance(10_000);
  assert.ok(platform.pending.some(isUpload));
  assert.ok(!platform.pending.some(isRelay));
});
