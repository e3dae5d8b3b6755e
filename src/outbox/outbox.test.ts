/** What waits, in memory, in the database and in notes, whatever those do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoreKey } from '../platform/platform.js';
import { assertLedger } from '../testing/client.js';
import { isUpload } from '../testing/cloud.js';
import { type TestOrigin, testOrigin } from '../testing/origin.js';
import { assertDelivered, openPage } from '../testing/pages.js';
import { settle, until } from '../testing/platform.js';

/** Counts transactions from now on. */
function countWrites(origin: TestOrigin): { count: number; deletes: StoreKey[][] } {
  const counted = { count: 0, deletes: [] as StoreKey[][] };
  const { openStore } = origin;
  origin.openStore = () => {
    const store = openStore();
    return {
      ...store,
      write(change) {
        counted.count++;
        return store.write(change);
      },
    };
  };
  return counted;
}

test('outbox: what ended is in the database within a quarter of a second, and steady traffic writes once a second', async () => {
  const origin = testOrigin();
  const writes = countWrites(origin);
  const client = openPage(origin, { scheduledDelayMillis: 60_000 });
  await client.platform.advance(1_000);
  client.endTrace();
  await client.platform.advance(250);
  assert.equal(origin.records.size, 1);
  for (let span = 0; span < 600; span++) {
    client.endTrace();
    await client.platform.advance(100);
  }
  assert.ok(writes.count <= 90, `${writes.count} transactions in a minute`);
});

test('outbox: over the limit of blobs the oldest without errors go first, and leave the database too', async () => {
  const origin = testOrigin();
  const client = openPage(origin, { maxOutboxBlobs: 3, maxTracesPerBlob: 1, scheduledDelayMillis: 0 });
  client.platform.onRequest = (request) => void client.cloud.answer(request, 'overloaded');
  const spans = ['failed', 'old', 'middle', 'new', 'newest'].map((name) => {
    const span = client.startSpan(name);
    if (name === 'failed') span.setStatus({ code: 2 });
    return span;
  });
  for (const span of spans) {
    span.end();
    await client.platform.advance(2_000);
  }
  await client.platform.advance(600_000);
  const { dropped, waiting } = client.processor.stats().spans;
  assert.deepEqual([dropped, waiting], [{ 'outbox-full': 2 }, 3]);
  assert.equal(new Set(origin.keys().map((key) => key[3])).size, 3);
  client.cloud.serve();
  await client.platform.advance(600_000);
  const text = client.cloud.texts().join();
  for (const name of ['failed', 'new', 'newest']) assert.match(text, new RegExp(`"name":"${name}"`));
});

test('outbox: over the limit of bytes as many go as must', async () => {
  const client = openPage(undefined, {
    maxOutboxBytes: 65_536,
    maxTracesPerBlob: 1,
    scheduledDelayMillis: 0,
  });
  client.platform.onRequest = (request) => void client.cloud.answer(request, 'overloaded');
  for (let blob = 0; blob < 20; blob++) {
    client.startSpan(Buffer.from(client.platform.randomBytes(7_000)).toString('base64')).end();
    await client.platform.advance(5_000);
  }
  await client.platform.advance(600_000);
  const { dropped, waiting } = client.processor.stats().spans;
  assert.ok(waiting >= 5 && waiting <= 10, `${waiting} wait`);
  assert.deepEqual(dropped, { 'outbox-full': 20 - waiting });
});

test('outbox: what nothing of is sent in a long outage stays within its limits', async () => {
  const client = openPage(testOrigin(), {
    maxOutboxBlobs: 10,
    maxTracesPerBlob: 1,
    scheduledDelayMillis: 0,
  });
  client.platform.onRequest = (request) => request.answer({ body: 'TypeError: offline' });
  for (let blob = 0; blob < 100; blob++) {
    client.startSpan(`work ${blob}`).end();
    await client.platform.advance(10_000);
  }
  await client.platform.advance(600_000);
  assert.ok(client.processor.stats().blobs.waiting <= 10);
  assertLedger(client.processor.stats(), 100);
});

for (const [name, change] of [
  ['without a database', () => undefined],
  ['without notes', (origin: TestOrigin) => Object.assign(origin, { openNotes: () => undefined })],
] as const) {
  test(`outbox: ${name} all is sent, and the page can leave and come back`, async () => {
    const origin = testOrigin();
    const given = change(origin) as TestOrigin | undefined;
    const client = openPage(given, { served: true });
    client.endTrace();
    for (const signal of ['hidden', 'cached', 'visible', 'unloading', 'leaving', 'visible'] as const) {
      client.platform.page(signal);
      client.endTrace();
      await client.platform.advance(300);
    }
    await assertDelivered(client, 7);
    assert.deepEqual([...client.platform.exceptions], []);
    assert.equal(client.processor.stats().storage.durable, given !== undefined);
  });
}

test('outbox: a database without room takes its deletes first, and then what waits', async () => {
  const origin = testOrigin();
  const { openStore } = origin;
  let isFull = false;
  origin.openStore = () => {
    const store = openStore();
    return {
      ...store,
      async write(change) {
        if (isFull && change.puts?.length) {
          if (origin.records.size > 1) throw new DOMException('no room', 'QuotaExceededError');
        }
        return store.write(change);
      },
    };
  };
  const client = openPage(origin, { maxTracesPerBlob: 1, scheduledDelayMillis: 0 });
  for (let blob = 0; blob < 4; blob++) client.startSpan(`work ${blob}`).end();
  await client.platform.advance(2_000);
  assert.ok(origin.records.size >= 4);
  isFull = true;
  client.startSpan('later').end();
  await client.platform.advance(300);
  const { platform, cloud } = client;
  platform.onRequest = (request) => void cloud.answer(request, isUpload(request) ? 'refused' : 'done');
  for (const request of platform.pending) void cloud.answer(request);
  await platform.advance(100);
  platform.onRequest = undefined;
  client.startSpan('last').end();
  await platform.advance(30_000);
  platform.crash();
  isFull = false;
  const next = openPage(origin, { earlier: client, served: true });
  await next.platform.advance(10_000);
  await until(() => cloud.texts().join().includes('"name":"last"'));
  assert.doesNotMatch(cloud.texts().join(), /"name":"work/);
});

for (const trouble of ['fails', 'hangs'] as const) {
  test(`outbox: while the database ${trouble} spans go all the same, and what waits is written when it is well`, async () => {
    const origin = testOrigin();
    const client = openPage(origin, { scheduledDelayMillis: 0 });
    await settle();
    Object.assign(origin, { storeError: trouble === 'fails' ? new Error('planted') : undefined });
    origin.storeHangs = trouble === 'hangs';
    client.endTrace();
    await client.platform.advance(5_000);
    assert.equal(client.cloud.exchanges.length + client.platform.pending.length, 1, 'it is sent');
    origin.storeError = undefined;
    origin.endHang(false);
    client.endTrace();
    await client.platform.advance(5_000);
    client.platform.crash();
    const next = openPage(origin, { earlier: client, served: true });
    await assertDelivered(next, 2);
  });
}

test('outbox: last words of more than a mebibyte keep the smallest blobs, whole', async () => {
  const origin = testOrigin();
  const client = openPage(origin, { relay: 'never', maxTracesPerBlob: 1 });
  await settle();
  origin.storeHangs = true;
  for (const size of [900_000, 500_000, 300_000, 100_000]) client.startSpan('abcdefg'.repeat(size / 7)).end();
  client.platform.page('leaving');
  await settle();
  client.platform.crash();
  const [note = ''] = origin.notes.values();
  assert.ok(note.length > 0 && note.length <= 1_048_576 + 10, `${note.length} characters`);
  origin.storeHangs = false;
  const next = openPage(origin, { earlier: client, served: true });
  await next.platform.advance(10_000);
  await until(() => next.processor.stats().spans.waiting === 0);
  assert.ok(next.processor.stats().spans.stored >= 2);
  assert.deepEqual([...origin.notes], []);
});

test('outbox: a crash between any two steps of taking over leaves everything to the next', async () => {
  for (let effects = 0; effects < 25; effects++) {
    const origin = testOrigin();
    const first = openPage(origin, { maxTracesPerBlob: 1 });
    for (let trace = 0; trace < 3; trace++) first.endTrace(2);
    await first.platform.advance(2_000);
    first.platform.takesBeacons = false;
    origin.storeHangs = true;
    first.endTrace();
    first.platform.page('leaving');
    await settle();
    first.platform.crash();
    origin.storeHangs = false;
    const second = openPage(origin, { earlier: first, served: true, relay: 'never' });
    second.platform.effectsLeft = effects;
    await second.platform.advance(30_000);
    second.platform.crash();
    const third = openPage(origin, { earlier: second, served: true, relay: 'never' });
    await assertDelivered(third, 7);
    assert.deepEqual(origin.keys(), [], `after ${effects} effects`);
    assert.equal(origin.notes.size, 0);
  }
});

test('outbox: a failure to take over is counted, and tried again after a minute', async () => {
  const origin = testOrigin();
  const first = openPage(origin);
  first.endTrace();
  await first.platform.advance(2_000);
  first.platform.crash();
  origin.storeError = new Error('planted');
  const second = openPage(origin, { earlier: first, served: true });
  await second.platform.advance(5_000);
  assert.ok(second.processor.stats().storage.failures > 0);
  origin.storeError = undefined;
  await assertDelivered(second, 1);
});

test('outbox: a page that is away takes nothing over', async () => {
  const origin = testOrigin();
  const first = openPage(origin);
  first.endTrace();
  await first.platform.advance(2_000);
  const second = openPage(origin, { earlier: first, served: true });
  await second.platform.advance(2_000);
  second.platform.page('cached');
  first.platform.crash();
  await second.platform.advance(200_000);
  assert.equal(second.processor.stats().spans.adopted, 0);
  second.platform.page('visible');
  await assertDelivered(second, 1);
});

test('outbox: records that nobody can read are kept apart, sixteen at most, and hold nothing up', async () => {
  const origin = testOrigin();
  const first = openPage(origin);
  first.endTrace();
  await first.platform.advance(2_000);
  first.platform.crash();
  const [format, place, page, id] = origin.keys()[0] as string[];
  const bad: [string[], unknown][] = [
    [['0002'], 'text'],
    [['0003'], { texts: [{ resource: '{', scope: '', spans: '' }], traces: [] }],
    [['blob'], { bytes: new Uint8Array(30), rawBytes: 7, traces: [] }],
    ...Array.from({ length: 30 }, (_, at): [string[], unknown] => [
      [`9${String(at).padStart(3, '0')}`],
      null,
    ]),
  ];
  for (const [name, record] of bad) {
    origin.records.set(JSON.stringify([format, place, page, `${id}-bad`, ...name]), record);
  }
  origin.records.set(JSON.stringify([format, place, page, id, 'state']), 7);
  const second = openPage(origin, { earlier: first, served: true });
  await assertDelivered(second, 1);
  assert.ok(second.processor.stats().storage.corrupt >= 30);
  const left = origin.keys();
  assert.ok(left.length <= 16, `${left.length} records`);
  assert.deepEqual(new Set(left.map(([kind]) => kind)), new Set(['quarantine']));
  assert.equal(second.processor.stats().exceptions, 0);
});

for (const text of ['', 'null', '{', '7', '[]', '[[]]', '[[[]]]', '[["a",1]]', '[[[["2"],1]]]', '{"v":1}']) {
  test(`outbox: a note that says ${text} is as good as none, and goes`, async () => {
    const origin = testOrigin();
    const first = openPage(origin);
    first.endTrace();
    await first.platform.advance(2_000);
    first.platform.crash();
    const [, place, page] = origin.keys()[0] as string[];
    origin.notes.set(`spandrel-2 ${place} ${page}`, text);
    const second = openPage(origin, { earlier: first, served: true });
    await assertDelivered(second, 1);
    assert.equal(origin.notes.size, 0);
    assert.equal(second.processor.stats().exceptions, 0);
  });
}

test('outbox: a note can write under its own page alone', async () => {
  const origin = testOrigin();
  const first = openPage(origin);
  first.endTrace();
  await first.platform.advance(2_000);
  first.platform.crash();
  const [format, place, page] = origin.keys()[0] as string[];
  origin.records.set('["mine","kept"]', 1);
  const log = [
    [
      [['mine'], null],
      [[format, place], null],
      [[format, place, page], null],
      [['quarantine', 'x'], 1],
    ],
  ];
  origin.notes.set(`spandrel-2 ${place} ${page}`, JSON.stringify(log));
  const second = openPage(origin, { earlier: first, served: true });
  await assertDelivered(second, 1);
  assert.deepEqual(origin.keys(), [['mine', 'kept']]);
});

test('outbox: last words are kept while the database hangs, though the page came back', async () => {
  const origin = testOrigin();
  const first = openPage(origin, { relay: 'never' });
  await settle();
  origin.storeHangs = true;
  first.endTrace(2);
  first.platform.page('leaving');
  await settle();
  first.platform.page('visible');
  await first.platform.advance(5_000);
  first.platform.crash();
  origin.storeHangs = false;
  const next = openPage(origin, { earlier: first, served: true, relay: 'never' });
  await assertDelivered(next, 2);
  assert.equal(origin.notes.size, 0);
});
