import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertLedger, testClient } from './testing/client.js';
import { isExchange } from './testing/cloud.js';
import { LEFT_BY_0_1_0, revived } from './testing/left-by-0.1.0.js';
import { testOrigin } from './testing/origin.js';
import { settle, until } from './testing/platform.js';

test('next: a trace becomes one object, and the server is told', async () => {
  const client = testClient({ served: true });
  client.endTrace(3);
  await client.platform.advance(3_000);
  await until(() => client.cloud.objects.size > 0);
  assert.equal(client.cloud.spanIds().length, 3);
  await client.platform.advance(70_000);
  assert.equal(client.cloud.receipts.length, 1);
  assertLedger(client.processor.stats(), 3);
  assert.deepEqual(client.platform.exceptions, []);
});

test('next: what a page leaves is adopted and stored', async () => {
  const origin = testOrigin();
  const first = testClient({ origin });
  first.endTrace(3);
  await first.platform.advance(300);
  first.platform.crash();
  const second = testClient({ origin, served: true, cloud: first.cloud, seed: 7 });
  await second.platform.advance(5_000);
  await until(() => first.cloud.objects.size > 0);
  assert.equal(first.cloud.spanIds().length, 3);
  await second.platform.advance(60_000);
  assertLedger(second.processor.stats(), 0);
  assert.deepEqual(origin.keys(), []);
});

test('next: a leaving page sends a beacon', async () => {
  const origin = testOrigin();
  const client = testClient({ origin, served: true });
  client.endTrace(3);
  client.platform.page('leaving');
  await settle();
  assert.equal(client.cloud.spanIds().length, 3);
});

test('next: a flush encodes a burst in slices, and stores all of it', async () => {
  const client = testClient({ served: true });
  const { monotonic } = client.platform;
  let looks = 0;
  // Each look at the clock finds it a millisecond on.
  client.platform.monotonic = () => monotonic() + looks++;
  client.endTrace(200);
  await client.processor.forceFlush();
  assert.ok(client.platform.yields > 10, `${client.platform.yields} pauses`);
  assert.equal(client.cloud.spanIds().length, 200);
});

for (const [end, left] of Object.entries(LEFT_BY_0_1_0)) {
  test(`next: what version 0.1.0 left is stored once: ${end}`, async () => {
    const origin = testOrigin();
    for (const [key, value] of left.records) origin.records.set(key, revived(value));
    for (const [name, text] of left.notes) origin.notes.set(name, text);
    const client = testClient({ origin, served: true, seed: 7, nowMillis: left.now });
    await client.platform.advance(5_000);
    await until(() => client.cloud.objects.size > 0);
    await client.platform.advance(60_000);
    assert.equal(client.cloud.spanIds().length, 3);
    assertLedger(client.processor.stats(), 0);
    assert.deepEqual(
      origin.keys().filter(([first]) => first !== 'taken'),
      [],
    );
    assert.deepEqual([...origin.notes.keys()], []);
  });
}

const SERVER_MILLIS = 1_790_000_000_000;
const bornAt = (id: string): number => Number.parseInt(id.replace('-', '').slice(0, 12), 16);

for (const [name, nowMillis] of [
  ['10 minutes fast', SERVER_MILLIS + 600_000],
  ['in 1970', 5_000],
  ['in 2099', 4_070_908_800_000],
] as const) {
  test(`next: a clock that is ${name}: all is stored, and ids are of the server's time once that is known`, async () => {
    const client = testClient({ served: true, nowMillis, scheduledDelayMillis: 0 });
    client.cloud.aheadMillis = SERVER_MILLIS - nowMillis;
    for (let trace = 1; trace <= 3; trace++) {
      client.endTrace(2);
      await client.platform.advance(2_000);
      await until(() => client.cloud.objects.size === trace);
    }
    const [first, ...later] = [...client.cloud.objects.keys()].map(bornAt);
    assert.ok(Math.abs((first as number) - nowMillis) < 10_000);
    for (const millis of later) assert.ok(Math.abs(millis - SERVER_MILLIS) < 20_000, String(millis));
    assertLedger(client.processor.stats(), 6);
  });
}

for (const spanCount of [400, 1_500]) {
  test(`next: one trace of ${spanCount} spans leaves with the page, in parts`, async () => {
    const origin = testOrigin();
    const client = testClient({ origin, served: true });
    const root = client.startSpan('root');
    for (let at = 1; at < spanCount; at++)
      client.startSpan('child', root).setAttribute('random', Math.random().toString(36)).end();
    root.end();
    client.platform.page('leaving');
    await settle();
    client.platform.crash();
    assert.equal(new Set(client.cloud.spanIds()).size, spanCount);
    const next = testClient({ origin, served: true, cloud: client.cloud, seed: 9 });
    await next.platform.advance(10_000);
    // Compressing takes its own time.
    await until(() => next.processor.stats().spans.stored === spanCount);
    await next.platform.advance(60_000);
    assert.equal(client.cloud.spanIds().length, spanCount);
    assert.deepEqual(origin.keys(), []);
  });
}

test('next: eight traces, seven seconds apart, make three objects by three questions', async () => {
  const client = testClient({ served: true, scheduledDelayMillis: 30_000 });
  for (let trace = 0; trace < 8; trace++) {
    client.endTrace(10);
    await client.platform.advance(7_000);
  }
  client.platform.page('leaving');
  await settle();
  assert.equal(client.cloud.objects.size, 3);
  const { exchanges, uploads, beacons } = client.processor.stats().requests;
  assert.deepEqual({ exchanges, uploads, beacons }, { exchanges: 2, uploads: 2, beacons: 2 });
  assert.equal(client.cloud.spanIds().length, 80);
});

test('next: losses that a leaving page cannot tell are told by the next', async () => {
  const origin = testOrigin();
  const client = testClient({ origin, maxBufferedSpans: 512 });
  client.platform.takesBeacons = false;
  client.endTrace(600);
  client.platform.page('leaving');
  await settle();
  const lost = client.processor.stats().spans.dropped['buffer-full'] ?? 0;
  assert.ok(lost > 0);
  assert.deepEqual(client.cloud.lost, {});
  client.platform.crash();
  const next = testClient({ origin, served: true, cloud: client.cloud, seed: 9 });
  await next.platform.advance(10_000);
  // Compressing takes its own time.
  await until(() => next.processor.stats().spans.waiting === 0);
  await next.platform.advance(90_000);
  assert.deepEqual(client.cloud.lost, { 'buffer-full': lost });
  assert.deepEqual(origin.keys(), []);
});

test('stats: what is under way, and what went without an answer, is told', async () => {
  const client = testClient({ scheduledDelayMillis: 0 });
  client.platform.onRequest = (request) => {
    if (isExchange(request)) void client.cloud.answer(request);
  };
  client.endTrace();
  await client.platform.advance(2_000);
  await until(() => client.platform.pending.length > 0);
  assert.deepEqual(
    [client.exporter.stats().blobs.inFlight, client.exporter.stats().blobs.unconfirmed],
    [1, 0],
  );
  client.endTrace();
  client.platform.page('hidden');
  await settle();
  assert.ok(client.exporter.stats().blobs.unconfirmed > 0);
});
