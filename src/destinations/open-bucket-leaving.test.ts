import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerNext, sending } from '../testing/bucket-steps.js';
import { testClient } from '../testing/client.js';
import { isExchange, isRelay, isUpload } from '../testing/cloud.js';
import { settle } from '../testing/platform.js';

for (const relay of ['auto', 'always', 'never'] as const) {
  test(`bucket: relay "${relay}": a page that leaves without a URL`, async () => {
    const client = testClient({ relay });
    client.endTrace();
    client.platform.page('leaving');
    const posted = client.platform.beacons.filter(isRelay);
    assert.equal(posted.length, relay === 'never' ? 0 : 1);
    assert.equal(client.processor.stats().blobs.waiting, 1);
    await settle();
    assert.equal(client.processor.stats().blobs.unconfirmed, posted.length);
    // It was only hidden, after all.
    client.cloud.serve();
    client.platform.page('visible');
    await client.platform.advance(10_000);
    assert.equal(client.processor.stats().spans.stored, 1);
  });
}

test('bucket: what a beacon took is sent again under its key if the page lives on, also as it leaves later', async () => {
  const client = testClient();
  const { platform, cloud, processor } = client;
  platform.onRequest = (request) => void cloud.answer(request, 'overloaded');
  client.endTrace();
  platform.page('hidden');
  await settle();
  assert.equal(platform.beacons.filter(isRelay).length, 1);
  platform.page('leaving');
  assert.equal(platform.beacons.filter(isRelay).length, 1, 'hidden and pagehide together');
  platform.page('visible');
  await platform.advance(30_000);
  assert.ok(platform.requests.some(isRelay), 'not tried again');
  platform.page('leaving');
  assert.equal(platform.beacons.filter(isRelay).length, 2);
  await cloud.arrive(platform.beacons[0] as never);
  cloud.serve();
  platform.page('visible');
  await platform.advance(600_000);
  assert.equal(processor.stats().spans.stored, 1);
  assert.equal(cloud.objects.size, 1);
});

test('bucket: an upload that outlives the page is not sent twice, and is announced as unconfirmed, once', async () => {
  const client = await sending();
  const { platform, cloud } = client;
  platform.onBeacon = (beacon) => void cloud.arrive(beacon);
  platform.page('hidden');
  platform.page('leaving');
  await settle();
  assert.equal(platform.pending.filter(isUpload).length, 1);
  assert.deepEqual(
    cloud.receipts.map(({ unconfirmed, traces }) => [unconfirmed, traces.length]),
    [[true, 1]],
  );
});

test('bucket: one failure while the page is hidden counts as one', async () => {
  const client = await sending();
  await answerNext(client, isUpload);
  client.endTrace();
  client.platform.page('hidden');
  await answerNext(client, isUpload, 'overloaded');
  const { errors, requests } = client.processor.stats();
  assert.equal(requests.uploadFailures, 1);
  assert.equal(errors.find(({ kind }) => kind === 'upload')?.count, 1);
});

test('bucket: a hidden page obeys its own patience when further spans come', async () => {
  const client = await sending();
  const { platform, cloud } = client;
  platform.onRequest = (request) => void cloud.answer(request, isExchange(request) ? 'done' : 'overloaded');
  await answerNext(client, isUpload, 'overloaded');
  platform.page('hidden');
  const before = platform.requests.filter(isUpload).length;
  for (let traces = 0; traces < 10; traces++) {
    client.endTrace();
    await platform.advance(700);
  }
  const attempts = platform.requests.filter(isUpload).length - before;
  assert.ok(attempts < 25, `${attempts} uploads of 11 blobs in 7 s`);
});

test('bucket: bytes beyond the keepalive budget stay in the outbox as the page leaves', async () => {
  const client = await sending();
  await answerNext(client, isUpload);
  client.platform.keepalive.reserve(client.platform.keepalive.freeBytes);
  client.endTrace();
  client.platform.page('leaving');
  assert.equal(client.platform.pending.filter(isUpload).length, 0);
  assert.equal(client.processor.stats().blobs.waiting, 1);
});

test('bucket: beside large bytes, receipts go without their traces', async () => {
  const client = await sending();
  const { platform, cloud } = client;
  await answerNext(client, isUpload);
  platform.onBeacon = (beacon) => void cloud.arrive(beacon);
  for (let traces = 0; traces < 60; traces++) client.endTrace();
  platform.keepalive.reserve(platform.keepalive.freeBytes - 8_000);
  platform.page('leaving');
  await settle();
  assert.deepEqual(
    cloud.receipts
      .filter(({ unconfirmed }) => unconfirmed)
      .map(({ spanCount, traces }) => [spanCount, traces.length]),
    [[60, 0]],
  );
});
