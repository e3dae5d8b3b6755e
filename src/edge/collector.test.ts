import assert from 'node:assert/strict';
import { getActiveResourcesInfo } from 'node:process';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { bucket } from '../bucket/bucket.js';
import type { Destination } from '../destinations/destination.js';
import { tee } from '../destinations/tee.js';
import type { Outcome, ReadableSpan } from '../pipeline/model.js';
import { assertLedger } from '../testing/client.js';
import { type Cloud, ENDPOINT, isExchange, isUpload, testCloud } from '../testing/cloud.js';
import { testDestination } from '../testing/destination.js';
import { handMade } from '../testing/encoding.js';
import { settle, type TestPlatform, testPlatform, until } from '../testing/platform.js';
import { type Collector, type CollectorOptions, openCollector } from './collector.js';
import { type Kept, nothingKept } from './kept.js';

const FAILED: Outcome = { status: 'retryable', cause: 'planted' };
const hangs = (): Promise<never> => new Promise(() => {});

let serial = 0;
/** A span of a trace of its own. */
function ended(fields: Parameters<typeof handMade>[0] = {}): ReadableSpan {
  const hex = (++serial).toString(16);
  const spanContext = () => ({
    traceId: hex.padStart(32, 'a'),
    spanId: hex.padStart(16, 'b'),
    traceFlags: 1,
  });
  return handMade({ spanContext, ...fields });
}

/** As the edge opens it: with a real platform. */
const open = (destination: Destination, options: Partial<CollectorOptions> = {}): Collector =>
  openCollector({ destination, maxBufferedSpans: 1_000, kept: nothingKept(), ...options });

/** An invocation in a test's world. */
function invoke(
  kept: Kept,
  { cloud: known, seed = 1 }: { cloud?: Cloud; seed?: number } = {},
): { collector: Collector; platform: TestPlatform; cloud: Cloud } {
  const platform = testPlatform({ seed });
  platform.takesBeacons = false;
  const cloud = known ?? testCloud(platform);
  const destination = bucket({ endpoint: ENDPOINT });
  const collector = openCollector({ destination, maxBufferedSpans: 1_000, kept }, platform);
  return { collector, platform, cloud };
}

const timers = (): number => getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

test('collector: what has ended is sent by flush, and the ledger holds at every step', async () => {
  const destination = testDestination('a');
  const collector = open(destination);
  for (let count = 1; count <= 3; count++) {
    collector.ended(ended());
    assertLedger(collector.stats(), count);
  }
  assert.equal(collector.stats().spans.waiting, 3);
  const flushed = collector.flush(1_000);
  assertLedger(collector.stats(), 3);
  assert.equal(await flushed, 'stored');
  assertLedger(collector.stats(), 3);
  assert.equal(collector.stats().spans.stored, 3);
  assert.equal(destination.stored.length, 1, 'together');
  await collector.close();
});

test('collector: flush and close end in time though the destination hangs, and leave no timer', async () => {
  for (const [way, result, left] of [
    [{ send: hangs }, 'waiting', 1],
    [{ settle: hangs }, 'stored', 0],
  ] as const) {
    const before = timers();
    const kept = nothingKept();
    const collector = open(testDestination('a', way), { kept });
    collector.ended(ended());
    assert.equal(await collector.flush(50), result);
    await collector.close();
    assert.equal(timers(), before);
    assertLedger(collector.stats(), 1);
    assert.deepEqual(collector.stats().spans.dropped, {});
    assert.equal(collector.stats().spans.handedOver, left);
    assert.equal([...kept.values()].flatMap(({ blobs }) => blobs).length, left);
  }
});

test('collector: close ends what a destination began with the platform it was given', async () => {
  const before = timers();
  const collector = open(
    testDestination('a', {
      open: ({ platform }) => void platform.after(60_000, () => assert.fail('it ran')),
    }),
  );
  assert.equal(timers(), before + 1);
  await collector.close();
  assert.equal(timers(), before);
});

test('collector: close by itself loses nothing that has ended, whole or in parts', async () => {
  const kept = nothingKept();
  const collector = open(testDestination('a', { send: hangs }), { kept });
  const open_ = { ...ended(), setAttribute() {}, end() {} } as never;
  collector.started(open_);
  for (let count = 0; count < 700; count++) collector.ended(ended());
  await collector.close();
  assertLedger(collector.stats(), 700);
  assert.deepEqual(collector.stats().spans.dropped, {});

  const destination = testDestination('a');
  const next = open(destination, { kept });
  assert.equal(await next.flush(5_000), 'stored');
  assert.equal(next.stats().spans.stored, 700);
  assert.equal(next.stats().spans.adopted, 700);
  assertLedger(next.stats(), 0);
  await next.close();
});

test('collector: spans after close are ignored, from its first moment on; closing twice is closing once', async () => {
  const destination = testDestination('a');
  const collector = open(destination);
  collector.ended(ended());
  const closing = collector.close();
  collector.ended(ended());
  collector.started({ ...ended(), setAttribute() {}, end() {} } as never);
  assert.equal(collector.close(), closing);
  await closing;
  collector.ended(ended());
  collector.interrupt();
  assert.equal(await collector.flush(1_000), 'stored');
  assertLedger(collector.stats(), 1);
  assert.equal(collector.stats().spans.waiting, 0);
  assert.equal(collector.stats().buffer.open, 0);
  assert.equal(destination.calls.filter((call) => call === 'close').length, 1);
});

test('collector: what interrupt ends is marked and sent', async () => {
  const collector = open(testDestination('a'));
  const marks: unknown[] = [];
  const span = { ...ended(), setAttribute: (...mark: unknown[]) => void marks.push(mark) } as ReadableSpan;
  Object.assign(span, { end: () => collector.ended(span) });
  collector.started(span as never);
  collector.started({ ...ended(), setAttribute: () => assert.fail('planted') } as never);
  collector.interrupt();
  assert.deepEqual(marks, [['spandrel.interrupted', true]]);
  assert.equal(collector.stats().exceptions, 1);
  assert.equal(await collector.flush(1_000), 'stored');
  assertLedger(collector.stats(), 1);
  await collector.close();
});

test('collector: garbage is counted, and costs nobody else', async () => {
  const collector = open(testDestination('a'), { redact: ({ name }) => name !== 'secret' });
  collector.ended(handMade({ spanContext: () => ({ traceId: 'x', spanId: 'y', traceFlags: 1 }) }));
  collector.ended(ended({ name: 'secret' }));
  collector.ended(ended());
  assert.equal(await collector.flush(1_000), 'lost');
  assert.deepEqual(collector.stats().spans.dropped, { unencodable: 1, redacted: 1 });
  assertLedger(collector.stats(), 3);
  await collector.close();
});

test('collector: over the most that it may hold whole traces go, counted', async () => {
  const collector = open(testDestination('a'), { maxBufferedSpans: 10 });
  for (let count = 0; count < 30; count++) {
    collector.ended(ended());
    assertLedger(collector.stats(), count + 1);
    assert.ok(collector.stats().spans.waiting <= 10);
  }
  assert.ok((collector.stats().spans.dropped['buffer-full'] ?? 0) >= 20);
  await collector.close();
});

test('collector: after the kill switch spans are counted as paused', async () => {
  const destination = testDestination('a');
  const collector = open(destination);
  collector.ended(ended());
  destination.opened[0]?.pause();
  assertLedger(collector.stats(), 1);
  collector.ended(ended());
  assert.deepEqual(collector.stats().spans.dropped, { paused: 2 });
  assert.equal(await collector.flush(1_000), 'lost');
  assertLedger(collector.stats(), 2);
  await collector.close();
});

for (const [name, fails] of [
  ['fails', FAILED],
  ['hangs', hangs],
] as const) {
  test(`collector: over many invocations with a destination that ${name} what is kept is bounded, and every span has a place`, async () => {
    const kept = nothingKept();
    const before = timers();
    let [created, adopted, handedOver, dropped] = [0, 0, 0, 0];
    const noise = Buffer.from(testPlatform().randomBytes(90_000)).toString('base64');
    for (let count = 0; count < 150; count++) {
      const destination = testDestination('a');
      destination.outcome = fails;
      const collector = open(destination, { kept });
      collector.ended(ended({ name: noise.slice(count) }));
      await collector.flush(1);
      await collector.close();
      const { spans } = collector.stats();
      assertLedger(collector.stats(), 1);
      assert.equal(spans.waiting, 0);
      created += spans.created;
      adopted += spans.adopted;
      handedOver += spans.handedOver;
      dropped += Object.values(spans.dropped).reduce((sum, lost) => sum + lost, 0);
      const blobs = [...kept.values()].flatMap((here) => here.blobs);
      assert.ok(blobs.length <= 100);
      assert.ok(blobs.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0) <= 4 * 1024 * 1024);
    }
    assert.equal(timers(), before);
    const left = [...kept.values()].flatMap((here) => here.blobs).length;
    assert.ok(left > 30, `${left} are kept`);
    assert.equal(created + adopted, handedOver + dropped);
    assert.equal(handedOver - adopted, left, 'what was handed over and not taken');
  });
}

test('collector: a blob keeps its key from one invocation to the next, and is stored once', async () => {
  const kept = nothingKept();
  const first = invoke(kept);
  const { cloud } = first;
  first.platform.onRequest = (request) =>
    void (isExchange(request) ? cloud.answer(request) : cloud.answer(request, 'lost-after'));
  first.collector.ended(ended());
  const flushed = first.collector.flush(1_000);
  assert.equal(await flushed, 'waiting');
  const closed = first.collector.close();
  await first.platform.advance(0);
  await closed;
  assert.deepEqual(first.platform.loose, { timers: 0, listeners: 0 });
  const keys = [...kept.values()].flatMap(({ blobs }) => blobs.map(({ id }) => id));
  assert.deepEqual([...cloud.objects.keys()], keys);

  const second = invoke(kept, { cloud, seed: 2 });
  cloud.serve(second.platform);
  await settle();
  assert.equal(await second.collector.flush(1_000), 'stored');
  assert.equal(cloud.objects.size, 1);
  assert.equal(second.platform.requests.filter(isUpload).length, 0, 'it was asked about instead');
  assertLedger(second.collector.stats(), 0);
});

test('collector: what may have arrived is asked about by the next, and is kept as bytes', async () => {
  const kept = nothingKept();
  const first = invoke(kept);
  const { cloud } = first;
  // It arrives, and nothing is heard of that.
  first.platform.onRequest = (request) => {
    if (isExchange(request)) void cloud.answer(request);
    else void cloud.answer({ ...request, answer: () => {} });
  };
  first.collector.ended(ended());
  const flushed = first.collector.flush(1_000);
  await until(() => cloud.objects.size === 1);
  await first.platform.advance(1_000);
  assert.equal(await flushed, 'waiting');
  await first.collector.close();
  const left = [...kept.values()].flatMap(({ blobs }) => blobs);
  assert.deepEqual(
    left.map(({ bytes, parts }) => [gunzipSync(bytes as Uint8Array).length > 100, parts.length]),
    [[true, 0]],
  );
  const second = invoke(kept, { cloud, seed: 2 });
  cloud.serve(second.platform);
  assert.equal(await second.collector.flush(1_000), 'stored');
  assert.equal(second.platform.requests.filter(isUpload).length, 0);
  assert.equal(cloud.objects.size, 1);
});

test('collector: what was never sent is kept as bytes', async () => {
  const kept = nothingKept();
  const collector = open(testDestination('a'), { kept });
  collector.ended(ended());
  await collector.close();
  const [left] = [...kept.values()].flatMap(({ blobs }) => blobs);
  assert.match(String(gunzipSync(left?.bytes as Uint8Array)), /^\{"resourceSpans"/);
});

test('collector: a blob that is under way is not sent by the next flush as well', async () => {
  const destination = testDestination('a');
  destination.outcome = hangs;
  const collector = open(destination);
  collector.ended(ended());
  assert.equal(await collector.flush(50), 'waiting');
  collector.ended(ended());
  assert.equal(await collector.flush(50), 'waiting');
  assert.equal(new Set(destination.sends).size, destination.sends.length);
  await collector.close();
});

test('collector: of many blobs a few are tried while none gets through', async () => {
  const kept = nothingKept();
  for (let count = 0; count < 20; count++) {
    const collector = open(testDestination('a'), { kept });
    collector.ended(ended());
    await collector.close();
  }
  const destination = testDestination('a');
  destination.outcome = FAILED;
  const collector = open(destination, { kept });
  assert.equal(await collector.flush(10_000), 'waiting');
  assert.ok(destination.sends.length <= 4, `${destination.sends.length} were tried`);
  destination.outcome = { status: 'stored' };
  assert.equal(await collector.flush(10_000), 'stored');
  assertLedger(collector.stats(), 0);
  await collector.close();
});

test('collector: a destination that cannot be opened, or throws, loses nothing', async () => {
  const kept = nothingKept();
  const planted = (): never => {
    throw new Error('planted');
  };
  for (const bad of [
    { id: 'a', open: planted },
    testDestination('a', { send: planted, close: planted, settle: planted }),
  ]) {
    const collector = open(bad, { kept });
    collector.ended(ended());
    assert.equal(await collector.flush(1_000), 'waiting');
    await collector.close();
    assert.deepEqual(collector.stats().spans.dropped, {});
    assertLedger(collector.stats(), 1);
  }
  const next = open(testDestination('a'), { kept });
  assert.equal(await next.flush(1_000), 'stored');
  assert.equal(next.stats().spans.stored, 2);
  await next.close();
});

test('collector: two at once take what is kept once, and what the server was not told is told once', async () => {
  const kept = nothingKept();
  const first = invoke(kept);
  const { cloud } = first;
  // The store takes it; the endpoint never hears of it.
  let exchanges = 0;
  first.platform.onRequest = (request) => {
    if (!isExchange(request) || exchanges++ === 0) void cloud.answer(request);
    else request.answer({ status: 503 });
  };
  first.collector.ended(ended());
  const flushed = first.collector.flush(100);
  await until(() => first.collector.stats().spans.stored === 1);
  await first.platform.advance(200);
  await flushed;
  const closed = first.collector.close();
  await first.platform.advance(0);
  await closed;
  assert.deepEqual(cloud.receipts, []);

  const both = [invoke(kept, { cloud, seed: 3 }), invoke(kept, { cloud, seed: 4 })];
  for (const { platform, collector } of both) {
    cloud.serve(platform);
    collector.ended(ended());
  }
  for (const { collector } of both) {
    assert.equal(await collector.flush(1_000), 'stored');
    assertLedger(collector.stats(), 1);
  }
  const keys = cloud.receipts.map(({ id }) => id);
  assert.equal(keys.length, 3);
  assert.equal(new Set(keys).size, 3);
});

test('collector: to several destinations, and each finds its own again', async () => {
  const kept = nothingKept();
  const [up, down] = [testDestination('up'), testDestination('down')];
  down.outcome = FAILED;
  const first = open(tee(up, down), { kept });
  first.ended(ended());
  assert.equal(await first.flush(5_000), 'waiting');
  await first.close();
  assertLedger(first.stats(), 1);
  assert.deepEqual([first.stats().spans.stored, first.stats().others[0]?.spans.handedOver], [1, 1]);

  down.outcome = { status: 'stored' };
  const second = open(tee(down, testDestination('other')), { kept });
  assert.equal(await second.flush(1_000), 'stored');
  assert.equal(second.stats().spans.stored, 1);
  assert.equal(down.stored.length, 1);
  assertLedger(second.stats(), 0);
  await second.close();
});
