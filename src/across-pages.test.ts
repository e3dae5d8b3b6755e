/** What one page leaves and the next finds: promises 1 and 2 across pages of one origin. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertLedger, type TestClient } from './testing/client.js';
import { isRelay, isUpload } from './testing/cloud.js';
import { type TestOrigin, testOrigin } from './testing/origin.js';
import { assertDelivered, openPage } from './testing/pages.js';
import { settle, until } from './testing/platform.js';

/** Everything in the database is gone once it is delivered and told. */
function assertEmpty(origin: TestOrigin): void {
  assert.deepEqual(origin.keys(), []);
  assert.deepEqual([...origin.notes.keys()], []);
}

test('pages: blobs of a page that crashed in an outage are sent by the next', async () => {
  const origin = testOrigin();
  const first = openPage(origin);
  first.endTrace(3);
  await first.platform.advance(10_000);
  assert.equal(first.processor.stats().blobs.waiting, 1);
  first.platform.crash();
  const second = openPage(origin, { earlier: first, served: true });
  await assertDelivered(second, 3);
  assert.equal(second.processor.stats().spans.adopted, 3);
  assertEmpty(origin);
});

test('pages: what was tried in vain comes back as bytes, with its attempts and summaries', async () => {
  const origin = testOrigin();
  const first = openPage(origin);
  first.platform.onRequest = (request) =>
    void first.cloud.answer(request, isUpload(request) ? 'overloaded' : 'done');
  first.startSpan('checkout').end();
  await first.platform.advance(60_000);
  first.platform.crash();
  assert.deepEqual(
    origin
      .keys()
      .map((key) => key.at(-1))
      .sort(),
    ['blob', 'state'],
  );
  const second = openPage(origin, { earlier: first, served: true });
  await assertDelivered(second, 1);
  assert.equal(second.cloud.receipts[0]?.traces[0]?.rootName, 'checkout');
  assertEmpty(origin);
});

test('pages: spans that ended a moment before a crash are sent by the next, also of a trace still open', async () => {
  const origin = testOrigin();
  const first = openPage(origin);
  first.endTrace(2);
  const root = first.startSpan('root');
  first.startSpan('child', root).end();
  await first.platform.advance(200);
  first.platform.crash();
  const second = openPage(origin, { earlier: first, served: true });
  await assertDelivered(second, 3);
  assertEmpty(origin);
});

test('pages: what was stored is not in the database any more, what still waits is', async () => {
  const origin = testOrigin();
  const first = openPage(origin, { served: true, scheduledDelayMillis: 60_000 });
  first.endTrace(2);
  await first.platform.advance(5_000);
  assert.equal(first.processor.stats().spans.stored, 2);
  first.endTrace();
  await first.platform.advance(200);
  first.platform.crash();
  const second = openPage(origin, { earlier: first, served: true });
  await assertDelivered(second, 3);
  assert.equal(second.processor.stats().spans.adopted, 1);
  assertEmpty(origin);
});

test('pages: a receipt that a page could not give is given by the next, once', async () => {
  const origin = testOrigin();
  const first = openPage(origin, { served: true });
  first.endTrace();
  await first.platform.advance(5_000);
  assert.deepEqual([first.processor.stats().spans.stored, first.cloud.receipts.length], [1, 0]);
  first.platform.crash();
  const second = openPage(origin, { earlier: first, served: true });
  await assertDelivered(second, 1);
  assert.equal(first.cloud.receipts.length, 1);
  assert.equal(second.processor.stats().spans.adopted, 0);
  assertEmpty(origin);
});

for (const [name, storeHangs, notesFull] of [
  ['the database kept the last words', false, true],
  ['only the note did', true, false],
] as const) {
  for (const arrives of [true, false]) {
    test(`pages: a beacon that left with the page and ${arrives ? 'arrived' : 'was lost'} is stored once; ${name}`, async () => {
      const origin = testOrigin();
      const first = openPage(origin, { served: true });
      first.endTrace();
      await first.platform.advance(10_000);
      first.endTrace(2);
      await first.platform.advance(200);
      first.platform.onBeacon = (beacon) => void (arrives && first.cloud.arrive(beacon));
      Object.assign(origin, { storeHangs, notesFull });
      first.startSpan('open');
      first.platform.page('leaving');
      await settle();
      first.platform.crash();
      Object.assign(origin, { storeHangs: false, notesFull: false });
      const second = openPage(origin, { earlier: first, served: true });
      await assertDelivered(second, 4);
      assert.equal(second.cloud.objects.size, 2);
      assert.equal(second.platform.requests.filter(isUpload).length, arrives ? 0 : 1);
      const asked = second.cloud.exchanges.flatMap(({ wants }) => wants).at(-1);
      assert.equal(asked?.again, true);
      assertEmpty(origin);
    });
  }
}

for (const heals of [true, false]) {
  for (const what of ['spans', 'blob', 'relayed'] as const) {
    test(`pages: what is stored while the database fails to delete its ${what} is not stored again; the database ${heals ? 'heals' : 'fails to the end'}`, async () => {
      const origin = testOrigin();
      const first = openPage(origin, what === 'relayed' ? { relay: 'always' } : {});
      if (what === 'blob')
        first.platform.onRequest = (request) =>
          void first.cloud.answer(request, isUpload(request) ? 'overloaded' : 'done');
      first.endTrace(2);
      await first.platform.advance(10_000);
      assert.ok(origin.keys().some((key) => key.at(-1) === (what === 'blob' ? 'blob' : '0001')));
      origin.storeError = new Error('planted');
      first.cloud.serve();
      await first.platform.advance(600_000);
      assert.equal(first.processor.stats().spans.stored, 2);
      if (heals) origin.storeError = undefined;
      first.platform.page('leaving');
      await settle();
      if (heals) assert.deepEqual(origin.keys(), []);
      first.platform.crash();
      origin.storeError = undefined;
      const second = openPage(origin, { earlier: first, served: true });
      await assertDelivered(second, 2);
      assert.equal(second.processor.stats().spans.adopted, 0);
      assertEmpty(origin);
    });
  }
}

test('pages: a page that lives keeps what it has', async () => {
  const origin = testOrigin();
  const first = openPage(origin);
  first.endTrace();
  await first.platform.advance(10_000);
  const second = openPage(origin, { earlier: first, served: true });
  await second.platform.advance(200_000);
  assert.equal(second.processor.stats().spans.adopted, 0);
  first.cloud.serve(first.platform);
  await assertDelivered(first, 1);
  assertEmpty(origin);
});

test('pages: a cached page that returns finds its blobs stored by another, stores nothing twice, and goes on', async () => {
  const origin = testOrigin();
  const first = openPage(origin, { relay: 'never' });
  first.endTrace(2);
  await first.platform.advance(10_000);
  first.platform.page('cached');
  await settle();
  const second = openPage(origin, { earlier: first, served: true });
  await assertDelivered(second, 2);
  first.platform.page('visible');
  await settle();
  assertLedger(first.processor.stats());
  first.cloud.serve(first.platform);
  first.endTrace();
  await assertDelivered(first, 3);
  await second.platform.advance(200_000);
  assertEmpty(origin);
});

test('pages: a cached page that returns before anybody else keeps its blobs', async () => {
  const origin = testOrigin();
  const first = openPage(origin);
  first.endTrace(2);
  await first.platform.advance(10_000);
  first.platform.page('cached');
  await settle();
  first.cloud.serve();
  first.platform.page('visible');
  await assertDelivered(first, 2);
  assertEmpty(origin);
});

test('pages: five that died are taken over by one of two', async () => {
  const origin = testOrigin();
  let earlier: TestClient | undefined;
  for (let page = 0; page < 5; page++) {
    const client: TestClient = openPage(origin, earlier ? { earlier } : {});
    earlier ??= client;
    client.endTrace(2);
    await client.platform.advance(10_000);
    client.platform.crash();
  }
  assert.ok(earlier);
  const [one, two] = [
    openPage(origin, { earlier, served: true }),
    openPage(origin, { earlier, served: true }),
  ];
  await Promise.all([one.platform.advance(130_000), two.platform.advance(130_000)]);
  await assertDelivered(one, 10);
  await assertDelivered(two, 10);
  assert.ok(one.processor.stats().spans.adopted + two.processor.stats().spans.adopted >= 10);
  assertEmpty(origin);
});

for (const trouble of ['storeError', 'storeHangs'] as const) {
  test(`pages: with ${trouble}, everything is kept in memory and sent`, async () => {
    const origin = testOrigin();
    Object.assign(origin, { [trouble]: new Error('QuotaExceededError') });
    const client = openPage(origin, { served: true });
    client.endTrace(3);
    await assertDelivered(client, 3);
    assert.equal(client.processor.stats().storage.failures > 0, trouble === 'storeError');
  });
}

test('pages: the user clears the site’s data midway', async () => {
  const origin = testOrigin();
  const client = openPage(origin);
  client.endTrace(3);
  await client.platform.advance(10_000);
  origin.records.clear();
  origin.notes.clear();
  client.cloud.serve();
  await assertDelivered(client, 3);
  assertEmpty(origin);
});

test('pages: shutdown leaves what could not be sent to the next page', async () => {
  const origin = testOrigin();
  const first = openPage(origin, { shutdownTimeoutMillis: 100 });
  first.endTrace(2);
  const ended = first.processor.shutdown();
  await first.platform.advance(2_000);
  await ended;
  assert.deepEqual(first.processor.stats().spans.dropped, {});
  assert.equal(first.processor.stats().spans.handedOver, 2);
  assertLedger(first.processor.stats());
  assert.deepEqual(origin.held, new Set());
  const second = openPage(origin, { earlier: first, served: true });
  await assertDelivered(second, 2);
});

test('pages: the patience that a server asked for outlives the page', async () => {
  const origin = testOrigin();
  const first = openPage(origin);
  first.endTrace();
  first.platform.onRequest = (request) => {
    if (isUpload(request)) request.answer({ status: 429, retryAfterMillis: 60_000 });
    else void first.cloud.answer(request);
  };
  await first.platform.advance(6_000);
  assert.equal(first.platform.requests.filter(isUpload).length, 1);
  first.platform.crash();
  const second = openPage(origin, { earlier: first, served: true });
  await second.platform.advance(2_000);
  second.endTrace();
  second.platform.online();
  await second.platform.advance(30_000);
  assert.equal(second.platform.requests.filter(isUpload).length, 0);
  await assertDelivered(second, 2);
});

/** A page with `fetchLater` whose two spans wait and are armed. */
async function armedPage(origin: TestOrigin): Promise<TestClient> {
  const client = openPage(origin, { served: true, defers: true, scheduledDelayMillis: 30_000 });
  client.endTrace();
  await client.platform.advance(10_000);
  const root = client.startSpan('root');
  client.startSpan('child', root).end();
  await client.platform.advance(1_500);
  assert.equal(client.platform.deferred.length, 1);
  client.startSpan('child', root).end();
  await client.platform.advance(1_500);
  assert.equal(client.platform.deferred.length, 1, 'one request, which has grown');
  return client;
}

for (const arrives of [true, false]) {
  test(`pages: what is armed when a page crashes is stored once, ${arrives ? 'sent by the browser' : 'lost by it'}`, async () => {
    const origin = testOrigin();
    const first = await armedPage(origin);
    const [deferred] = first.platform.deferred;
    first.platform.crash();
    if (arrives && deferred) await first.cloud.arrive(deferred);
    assert.equal(first.cloud.spanIds().length, arrives ? 3 : 1);
    const second = openPage(origin, { earlier: first, served: true });
    await assertDelivered(second, 3);
    assert.equal(first.cloud.objects.size, 2);
    assert.equal(second.platform.requests.filter(isUpload).length, arrives ? 0 : 1);
    assertEmpty(origin);
  });
}

for (const end of ['closed', 'leaving'] as const) {
  test(`pages: what was armed and is ${end} is stored once, by whichever way`, async () => {
    const origin = testOrigin();
    const client = await armedPage(origin);
    if (end === 'leaving') {
      client.platform.page('leaving');
      await settle();
      const { deferred } = client.platform;
      client.platform.crash();
      for (const request of deferred) await client.cloud.arrive(request);
    } else {
      await client.platform.advance(40_000);
      assert.equal(client.platform.deferred.length, 0);
    }
    // A leaving page ends its root as well.
    const spans = end === 'leaving' ? 4 : 3;
    assert.equal(client.cloud.spanIds().length, spans);
    client.platform.crash();
    const next = openPage(origin, { earlier: client, served: true });
    await assertDelivered(next, spans);
    assertEmpty(origin);
  });
}

for (const ends of ['closes', 'pauses', 'shuts down'] as const) {
  test(`pages: a page that ${ends} leaves nothing armed with the browser that is nobody's`, async () => {
    const client = await armedPage(testOrigin());
    if (ends === 'closes') client.exporter.setConsent('denied');
    else if (ends === 'shuts down') {
      const ended = client.processor.shutdown();
      await client.platform.advance(10_000);
      await ended;
    } else {
      client.cloud.paused = true;
      await client.platform.advance(70_000);
      client.endTrace();
      await client.platform.advance(70_000);
      assert.equal(client.processor.stats().state, 'paused');
    }
    assert.deepEqual(client.platform.deferred, []);
    assertLedger(client.processor.stats());
  });
}

test('pages: what is more than the browser holds is not armed, and goes on', async () => {
  const client = openPage(testOrigin(), { served: true, defers: true, scheduledDelayMillis: 30_000 });
  client.endTrace();
  await client.platform.advance(10_000);
  client.startSpan(Buffer.from(client.platform.randomBytes(70_000)).toString('base64')).end();
  await client.platform.advance(2_000);
  for (const { body } of client.platform.deferred) assert.ok((body as Uint8Array).length <= 60_000);
  await client.platform.advance(40_000);
  await until(() => client.processor.stats().spans.stored === 2);
  await assertDelivered(client, 2);
});

test('pages: a navigation that begins and does not end: what others take meanwhile is not stored twice', async () => {
  const origin = testOrigin();
  const first = openPage(origin);
  first.endTrace(2);
  await first.platform.advance(10_000);
  first.endTrace(3);
  await first.platform.advance(200);
  first.platform.page('unloading');
  await settle();
  const second = openPage(origin, { earlier: first, served: true });
  await second.platform.advance(5_000);
  first.endTrace();
  await second.platform.advance(5_000);
  await first.platform.advance(10_100);
  assert.ok(origin.held.size >= 2, 'holds its lock again');
  first.cloud.serve(first.platform);
  await assertDelivered(first, 6);
  await second.platform.advance(200_000);
  assertEmpty(origin);
});

test('pages: a page that crashes after a navigation that did not end has its spans in the database', async () => {
  const origin = testOrigin();
  const first = openPage(origin);
  const root = first.startSpan('root');
  first.startSpan('child', root).end();
  await first.platform.advance(200);
  first.platform.page('unloading');
  await first.platform.advance(10_300);
  first.platform.crash();
  const second = openPage(origin, { earlier: first, served: true });
  await assertDelivered(second, 1);
  assertEmpty(origin);
});

test('pages: where locks do not matter to the bfcache, a page whose last word is beforeunload has everything written down', async () => {
  const origin = testOrigin();
  const first = openPage(origin, { cachesEarly: false });
  await settle();
  first.endTrace(3);
  first.platform.page('unloading');
  await settle();
  first.platform.crash();
  const second = openPage(origin, { earlier: first, served: true });
  await assertDelivered(second, 3);
  assertEmpty(origin);
});

test('pages: what another destination left is not ours', async () => {
  const origin = testOrigin();
  const first = openPage(origin, { project: 'one' });
  first.endTrace();
  await first.platform.advance(10_000);
  first.platform.crash();
  const second = openPage(origin, { earlier: first, served: true, project: 'two' });
  await second.platform.advance(100_000);
  assert.equal(second.processor.stats().spans.adopted, 0);
  second.platform.crash();
  const third = openPage(origin, { earlier: second, served: true, project: 'one' });
  await assertDelivered(third, 1);
});

test('pages: a relay of a page that is gone is asked about by its id, whatever way the next one has', async () => {
  const origin = testOrigin();
  const first = openPage(origin, { relay: 'always' });
  first.platform.onRequest = (request) =>
    void (isRelay(request) && first.cloud.answer(request, 'lost-after'));
  first.endTrace();
  await first.platform.advance(2_000);
  first.platform.crash();
  const second = openPage(origin, { earlier: first, served: true, relay: 'never' });
  await assertDelivered(second, 1);
  assert.equal(second.platform.requests.filter(isUpload).length, 0);
});

test('pages: last words stay for those who send to the same place, whatever other place’s name begins alike', async () => {
  const origin = testOrigin();
  const first = openPage(origin, { project: 'shop' });
  await settle();
  origin.storeHangs = true;
  first.platform.takesBeacons = false;
  first.endTrace(2);
  first.platform.page('leaving');
  await settle();
  first.platform.crash();
  origin.storeHangs = false;
  assert.equal(origin.notes.size, 1);
  const other = openPage(origin, { earlier: first, served: true });
  await other.platform.advance(120_000);
  assert.equal(other.processor.stats().spans.adopted, 0);
  other.platform.crash();
  const same = openPage(origin, { earlier: other, served: true, project: 'shop' });
  await assertDelivered(same, 2);
  assertEmpty(origin);
});
