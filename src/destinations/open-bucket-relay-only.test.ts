import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertLedger, type TestClient, testClient } from '../testing/client.js';
import { isRelay, isUpload } from '../testing/cloud.js';

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
  const wants = cloud.exchanges.map(({ want }) => want);
  assert.ok((wants[0] as number) > 0);
  assert.deepEqual(new Set(wants.slice(1)), new Set([0]));
  assert.equal(wants.length, 6, 'one to learn it, one for each receipt');
  assertLedger(processor.stats(), 5);
});

test('relay only: a claim of an earlier day is relayed under its key, not given up', async () => {
  const client = testClient({ scheduledDelayMillis: 0 });
  const { platform, cloud } = client;
  platform.onRequest = (request) => void cloud.answer(request, isUpload(request) ? 'forbidden' : 'done');
  client.endTrace();
  await platform.advance(1_000);
  cloud.relayOnly = true;
  cloud.serve();
  await platform.advance(120_000);
  assert.equal(client.processor.stats().spans.stored, 1);
  const key = new URL(platform.requests.find(isUpload)?.url ?? '').pathname.slice(1);
  assert.deepEqual([...cloud.objects.keys()], [key]);
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

test('relay only: with relay "never" that is a trouble, told once; blobs wait, and nothing spins', async () => {
  const { platform, cloud, processor, endTrace } = relayOnly({ relay: 'never' });
  endTrace();
  await platform.advance(600_000);
  endTrace();
  await platform.advance(600_000);
  const { errors, spans } = processor.stats();
  assert.deepEqual(
    errors.map(({ kind, count }) => [kind, count]),
    [['relay-only', 1]],
  );
  assert.equal(cloud.exchanges.length, 1);
  assert.deepEqual([spans.waiting, spans.dropped], [2, {}]);
  assert.equal(platform.requests.filter(isRelay).length, 0);
  cloud.relayOnly = false;
  await platform.advance(60 * 60_000);
  endTrace();
  await platform.advance(10_000);
  assert.equal(processor.stats().spans.stored, 3);
  assertLedger(processor.stats(), 3);
});

test('relay only: nothing is left with the browser for the bucket', async () => {
  const { platform, startSpan } = relayOnly({ defers: true });
  const root = startSpan('root');
  startSpan('child', root).end();
  await platform.advance(20_000);
  assert.deepEqual(platform.deferred, []);
});
