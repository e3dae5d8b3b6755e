import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertLedger, testClient } from '../testing/client.js';
import { isUpload } from '../testing/cloud.js';
import { handMade } from '../testing/encoding.js';
import { testOrigin } from '../testing/origin.js';
import { settle } from '../testing/platform.js';

test('consent: while it is pending, nothing is stored, asked or locked, and what ends waits', async () => {
  const origin = testOrigin();
  const { platform, processor, exporter, endTrace } = testClient({
    origin,
    consent: 'pending',
    defers: true,
  });
  endTrace(3);
  await platform.advance(120_000);
  for (const signal of ['hidden', 'visible', 'cached', 'visible', 'unloading'] as const)
    platform.page(signal);
  platform.online();
  await platform.advance(120_000);
  assert.deepEqual([platform.requests.length, platform.beacons.length, platform.deferred.length], [0, 0, 0]);
  assert.deepEqual([origin.records.size, origin.notes.size, origin.held.size], [0, 0, 0]);
  assertLedger(processor.stats(), 3);
  assert.equal(processor.stats().spans.waiting, 3);
  assert.equal(processor.stats().consent, 'pending');
  assert.equal(await exporter.flush(), 'waiting');
});

test('consent: once granted, what was held goes in the order in which it ended', async () => {
  const { platform, processor, exporter, cloud, startSpan } = testClient({
    origin: testOrigin(),
    consent: 'pending',
    served: true,
  });
  const names = ['a', 'b', 'c', 'd'];
  for (const name of names) {
    startSpan(name).end();
    await platform.advance(10_000);
  }
  exporter.setConsent('granted');
  const flushed = exporter.flush();
  await platform.advance(10_000);
  assert.equal(await flushed, 'stored');
  assert.equal(processor.stats().spans.stored, 4);
  const told = cloud.receipts.flatMap(({ traces }) => traces.map(({ rootName }) => rootName));
  assert.deepEqual(told, names);
});

test('consent: what is held is bounded, and counted when it overflows', async () => {
  const { processor, platform, endTrace } = testClient({ consent: 'pending', maxBufferedSpans: 512 });
  for (let traces = 0; traces < 600; traces++) {
    endTrace();
    if (traces % 50 === 0) await platform.advance(6_000);
    const { waiting } = processor.stats().spans;
    assert.ok(waiting <= 512, `${waiting} are held`);
    assertLedger(processor.stats(), traces + 1);
  }
  assert.ok((processor.stats().spans.dropped['buffer-full'] ?? 0) >= 88);
});

test('consent: behind another processor what is held is bounded as well', async () => {
  const { exporter } = testClient({ consent: 'pending' });
  let answers = 0;
  for (let batch = 0; batch < 12; batch++) {
    const traceId = String(batch).padStart(32, '0');
    const spanContext = () => ({ traceId, spanId: '00f067aa0ba902b7', traceFlags: 1 });
    exporter.export(
      Array.from({ length: 500 }, () => handMade({ spanContext })),
      () => answers++,
    );
  }
  await settle();
  assert.equal(answers, 12);
  assertLedger(exporter.stats(), 6_000);
  const { dropped, waiting } = exporter.stats().spans;
  assert.ok(waiting <= 5_000 && waiting >= 4_000, `${waiting} are held`);
  assert.deepEqual(dropped, { 'buffer-full': 6_000 - waiting });
});

test('consent: a page that leaves while it is pending loses what was held, counted; one that is cached does not', async () => {
  const { platform, processor, endTrace } = testClient({ consent: 'pending' });
  endTrace();
  platform.page('cached');
  assert.equal(processor.stats().spans.waiting, 1);
  platform.page('visible');
  endTrace();
  platform.page('leaving');
  assertLedger(processor.stats(), 2);
  assert.deepEqual(processor.stats().spans.dropped, { consent: 2 });
});

test('consent: denied drops what waits wherever it waits, takes requests back and deletes what is kept', async () => {
  const origin = testOrigin();
  const earlier = testClient({ origin, scheduledDelayMillis: 0 });
  earlier.endTrace();
  await earlier.platform.advance(2_000);
  earlier.platform.page('leaving');
  earlier.platform.crash();
  origin.notes.set('of the app', 'stays');

  const { platform, processor, exporter, cloud, startSpan, endTrace } = testClient({
    origin,
    seed: 50,
    defers: true,
    scheduledDelayMillis: 0,
    cloud: earlier.cloud,
  });
  const open = startSpan('open');
  endTrace(2);
  await platform.advance(2_000);
  for (const request of platform.pending) if (!isUpload(request)) await cloud.answer(request);
  await settle();
  endTrace(2);
  await platform.advance(50);
  assert.ok(platform.pending.some(isUpload), 'an upload is under way');
  assert.ok(origin.records.size > 0);
  const objects = cloud.objects.size;
  exporter.setConsent('denied');
  assertLedger(processor.stats());
  assert.equal(processor.stats().spans.waiting, 0);
  assert.deepEqual(platform.pending, []);
  assert.deepEqual(platform.deferred, []);
  await settle();
  assert.deepEqual([...origin.records.keys()], []);
  assert.deepEqual([...origin.notes.keys()], ['of the app']);
  assert.equal(origin.held.size, 0);

  const requests = platform.requests.length;
  const { created } = processor.stats().spans;
  endTrace(5);
  open.end();
  platform.page('hidden');
  platform.page('visible');
  await platform.advance(200_000);
  assert.equal(platform.requests.length, requests);
  assert.equal(origin.records.size, 0);
  assertLedger(processor.stats(), created);
  assert.equal(processor.stats().buffer.open, 0);
  assert.equal(await exporter.flush(), 'lost');
  assert.equal(cloud.objects.size, objects);
});

test('consent: granted again, spans go again, but for those that were open meanwhile', async () => {
  const origin = testOrigin();
  const { platform, processor, exporter, cloud, startSpan } = testClient({ origin, served: true });
  const before = startSpan('before');
  exporter.setConsent('denied');
  const during = startSpan('during');
  exporter.setConsent('granted');
  before.end();
  during.end();
  startSpan('after').end();
  const flushed = exporter.flush();
  await platform.advance(10_000);
  assert.equal(await flushed, 'stored');
  assertLedger(processor.stats(), 1);
  assert.deepEqual(
    cloud.receipts.flatMap(({ traces }) => traces.map(({ rootName }) => rootName)),
    ['after'],
  );
  assert.deepEqual(processor.stats().errors, []);
});

test('consent: pending again, the database is let go of with what is in it, and taken up when granted', async () => {
  const origin = testOrigin();
  const { platform, processor, exporter, cloud, endTrace } = testClient({ origin, scheduledDelayMillis: 0 });
  endTrace(2);
  await platform.advance(2_000);
  exporter.setConsent('pending');
  endTrace();
  await settle();
  assertLedger(processor.stats(), 3);
  assert.deepEqual(processor.stats().spans.dropped, {});
  assert.ok(origin.records.size > 0);
  assert.deepEqual(platform.pending, []);
  const requests = platform.requests.length;
  await platform.advance(100_000);
  assert.equal(platform.requests.length, requests);
  exporter.setConsent('granted');
  cloud.serve(platform);
  await platform.advance(200_000);
  assertLedger(processor.stats(), 3);
  assert.equal(processor.stats().spans.stored, 3);
  assert.equal(new Set(cloud.spanIds()).size, 3);
  assert.equal(cloud.spanIds().length, 3);
});

test('consent: pending again, what was written down ahead of its blob is held in one place only', async () => {
  const origin = testOrigin();
  const { platform, processor, exporter, cloud, endTrace } = testClient({ origin, served: true });
  endTrace();
  await platform.advance(300);
  assert.ok(origin.keys().length > 0);
  exporter.setConsent('pending');
  await platform.advance(20_000);
  exporter.setConsent('granted');
  await platform.advance(200_000);
  assertLedger(processor.stats(), 1);
  assert.equal(cloud.spanIds().length, 1);
});

test('consent: pending again while a flush is under way, what is left for later is not dropped as well', async () => {
  const { platform, processor, exporter, endTrace } = testClient({
    origin: testOrigin(),
    scheduledDelayMillis: 0,
    maxOutboxAgeMillis: 60_000,
    flushTimeoutMillis: 600_000,
  });
  endTrace();
  await platform.advance(2_000);
  const flushed = exporter.flush();
  await platform.advance(10_000);
  // Asleep, and nothing has run since.
  platform.jump(100_000);
  exporter.setConsent('pending');
  await platform.advance(1_000);
  await flushed;
  assertLedger(processor.stats(), 1);
  assert.deepEqual(processor.stats().spans.dropped, {});
});

for (const trouble of ['fails', 'hangs'] as const) {
  for (const heals of [true, false]) {
    test(`consent: denied while the database ${trouble}, what it keeps is never sent; it heals ${heals ? 'before' : 'after'} the next grant`, async () => {
      const origin = testOrigin();
      const first = testClient({ origin, scheduledDelayMillis: 0 });
      const { platform, processor, exporter, cloud, endTrace } = first;
      endTrace(2);
      await platform.advance(2_000);
      endTrace(3);
      await platform.advance(80);
      const heal = (): void => {
        origin.storeError = undefined;
        origin.endHang(false);
      };
      if (trouble === 'fails') origin.storeError = new Error('planted');
      else origin.storeHangs = true;
      exporter.setConsent('denied');
      await platform.advance(20_000);
      assert.ok(origin.records.size > 0);
      if (heals) heal();
      exporter.setConsent('granted');
      endTrace();
      await platform.advance(20_000);
      heal();
      endTrace();
      await platform.advance(200_000);
      platform.page('leaving');
      await settle();
      platform.crash();
      const next = testClient({ origin, seed: 50, cloud, served: true, nowMillis: platform.now() + 1_000 });
      await next.platform.advance(200_000);
      assert.equal(cloud.spanIds().length, 2, 'what ended after the grant, and nothing else');
      assertLedger(processor.stats(), 7);
      assert.deepEqual(origin.keys(), []);
      next.exporter.setConsent('denied');
      await next.platform.advance(10_000);
      assert.deepEqual([...origin.notes.keys()], [], 'all is deleted now');
    });
  }
}

test('consent: what is granted between two denials that the database does not hear is not sent either', async () => {
  const origin = testOrigin();
  const { platform, exporter, cloud, endTrace } = testClient({ origin, scheduledDelayMillis: 0 });
  for (let denials = 1; denials <= 2; denials++) {
    endTrace();
    await platform.advance(2_000);
    origin.storeError = new Error('planted');
    exporter.setConsent('denied');
    await platform.advance(10_000);
    origin.storeError = undefined;
    exporter.setConsent('granted');
  }
  assert.ok(origin.keys().length > 0, 'what was kept between them');
  cloud.serve();
  await platform.advance(200_000);
  assert.equal(cloud.spanIds().length, 0);
});

test('consent: denied from the start, what earlier pages kept is deleted, unless it is granted at once', async () => {
  for (const isGranted of [false, true]) {
    const origin = testOrigin();
    const earlier = testClient({ origin, scheduledDelayMillis: 0 });
    earlier.endTrace();
    await earlier.platform.advance(2_000);
    earlier.platform.crash();
    const { platform, exporter, processor } = testClient({ origin, seed: 50, consent: 'denied' });
    if (isGranted) exporter.setConsent('granted');
    await platform.advance(5_000);
    assert.equal(processor.stats().spans.adopted, isGranted ? 1 : 0);
    assert.equal(origin.records.size > 0, isGranted);
  }
});

test('consent: another tab hears of a denial, and puts nothing back', async () => {
  const origin = testOrigin();
  const one = testClient({ origin, scheduledDelayMillis: 0 });
  const two = testClient({ origin, seed: 50, scheduledDelayMillis: 0 });
  for (const { endTrace, platform } of [one, two]) {
    endTrace();
    await platform.advance(2_000);
  }
  one.exporter.setConsent('denied');
  await settle();
  await two.platform.advance(100_000);
  assert.equal(two.processor.stats().consent, 'denied');
  assert.deepEqual(two.processor.stats().spans.dropped, { consent: 1 });
  assertLedger(two.processor.stats(), 1);
  assert.equal(origin.records.size + origin.notes.size, 0);
});

test('consent: shutdown ends everything, whatever was said', async () => {
  for (const consent of ['pending', 'denied', 'granted'] as const) {
    const { platform, processor, exporter, endTrace } = testClient({ origin: testOrigin(), consent });
    endTrace();
    const ended = processor.shutdown();
    await platform.advance(10_000);
    await ended;
    assert.deepEqual(platform.loose, { timers: 0, listeners: 0 });
    assertLedger(processor.stats());
    assert.equal(processor.stats().state, 'shut-down');
    exporter.setConsent('granted');
    endTrace();
    await settle();
    assert.deepEqual(platform.loose, { timers: 0, listeners: 0 });
    assertLedger(processor.stats());
  }
});

test('consent: only the three words are taken', () => {
  const { exporter } = testClient();
  assert.throws(() => exporter.setConsent('yes' as never), /option "consent" takes "granted"/);
  assert.equal(exporter.stats().consent, 'granted');
});
