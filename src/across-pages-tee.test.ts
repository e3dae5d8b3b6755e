/** What a page with several destinations leaves and the next finds, whatever destinations that one has. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Store, StoreChange } from './platform/platform.js';
import { assertLedger, type TestClient, testClient } from './testing/client.js';
import { type Cloud, ENDPOINT, isUpload, OTHER_ENDPOINT, serveAll } from './testing/cloud.js';
import { type TestOrigin, testOrigin } from './testing/origin.js';
import { settle } from './testing/platform.js';

const A = [ENDPOINT];
const B = [OTHER_ENDPOINT];
const AB = [ENDPOINT, OTHER_ENDPOINT];
const BA = [OTHER_ENDPOINT, ENDPOINT];

let seed = 1_000;

function openPage(
  origin: TestOrigin,
  places: readonly string[],
  { earlier, ...options }: Parameters<typeof testClient>[0] & { earlier?: TestClient } = {},
): TestClient {
  seed += 10;
  const nowMillis = earlier ? earlier.platform.now() + 1_000 : 1_790_000_000_000;
  return testClient({
    origin,
    places,
    seed,
    nowMillis,
    ...options,
    ...(earlier && { clouds: earlier.clouds }),
  });
}

const cloudAt = ({ clouds }: TestClient, place: string): Cloud | undefined =>
  clouds.find((cloud) => cloud.owns({ url: place }));

const idsAt = (page: TestClient, place: string): string[] => cloudAt(page, place)?.spanIds() ?? [];

/** Opens a page, lets it finish everything, and lets it go. */
async function finishOn(
  origin: TestOrigin,
  places: readonly string[],
  earlier: TestClient,
): Promise<TestClient> {
  const page = openPage(origin, places, { earlier, served: true });
  for (let turn = 0; turn < 5; turn++) await page.platform.advance(60_000);
  assertLedger(page.processor.stats());
  const { spans, others } = page.processor.stats();
  assert.deepEqual(
    [spans, ...others.map((other) => other.spans)].map(({ waiting }) => waiting),
    places.map(() => 0),
  );
  page.platform.crash();
  return page;
}

/** What the database holds of a destination. */
const leftFor = (origin: TestOrigin, place: string): string[] =>
  origin.keys().flatMap((key) => (key[1] === place ? [key[4] as string] : []));

function assertStoredAt(page: TestClient, place: string, spans: number): void {
  const ids = idsAt(page, place);
  assert.equal(new Set(ids).size, spans, `spans at ${place}`);
  assert.equal(ids.length, spans, 'a span is stored twice');
}

for (const [name, crash] of [
  ['sealed', 10_000],
  ['ended a moment before', 250],
] as const) {
  for (const [before, after] of [
    [AB, AB],
    [AB, BA],
    [AB, A],
    [AB, B],
    [A, AB],
    [A, BA],
    [B, AB],
    [B, BA],
  ]) {
    const wanted = (before as string[]).filter((place) => after?.includes(place));
    test(`pages: spans ${name} that a page to ${before} leaves by a crash go from one to ${after} to ${wanted}, once`, async () => {
      const origin = testOrigin();
      const first = openPage(origin, before as string[]);
      first.endTrace(3);
      await first.platform.advance(crash);
      assertLedger(first.processor.stats(), 3);
      first.platform.crash();
      const second = await finishOn(origin, after as string[], first);
      for (const place of after as string[]) assertStoredAt(second, place, wanted.includes(place) ? 3 : 0);
      for (const place of wanted) assert.deepEqual(leftFor(origin, place), []);

      // What was for others still waits for a page that speaks to them.
      const third = await finishOn(origin, AB, { ...second, clouds: [...first.clouds, ...second.clouds] });
      for (const place of before as string[]) assertStoredAt(third, place, 3);
      assert.deepEqual(
        origin.keys().filter(([kind]) => kind !== 'taken'),
        [],
      );
      assert.deepEqual([...origin.notes.keys()], []);
    });
  }
}

test('pages: one place is down, the page reloads: it gets everything from the next page, the other nothing twice', async () => {
  const origin = testOrigin();
  const first = openPage(origin, AB, { scheduledDelayMillis: 0 });
  const [up, down] = first.clouds as [Cloud, Cloud];
  first.platform.onRequest = (request) => void (up.owns(request) ? up.answer(request) : request.answer({}));
  for (let count = 0; count < 3; count++) {
    first.endTrace(2);
    await first.platform.advance(2_000);
  }
  assert.deepEqual([up.spanIds().length, down.spanIds().length], [6, 0]);
  const { spans, others } = first.processor.stats();
  assert.deepEqual([spans.stored, others[0]?.spans.waiting], [6, 6]);
  const uploads = first.platform.requests.filter((request) => isUpload(request) && up.owns(request)).length;
  first.platform.takesBeacons = false;
  first.platform.page('leaving');
  await settle();
  first.platform.crash();
  const second = await finishOn(origin, AB, first);
  for (const place of AB) assertStoredAt(second, place, 6);
  assert.equal(second.platform.requests.filter((request) => isUpload(request) && up.owns(request)).length, 0);
  assert.equal(uploads, 3);
  assert.deepEqual(
    second.processor.stats().others.map((other) => [other.spans.adopted, other.spans.stored]),
    [[6, 6]],
  );
});

/** Lets the page write until this many transactions have been made, and nothing after. */
function dieAfter(origin: TestOrigin, transactions: number): { done: () => number } {
  const { openStore } = origin;
  let made = 0;
  origin.openStore = (): Store => {
    const store = openStore.call(origin);
    return {
      ...store,
      async write(change: StoreChange) {
        if (made >= transactions) return new Promise(() => {});
        made++;
        return store.write(change);
      },
    };
  };
  return {
    done() {
      origin.openStore = openStore;
      return made;
    },
  };
}

test('pages: whichever transaction is the last before a crash, nothing is lost to either and nothing goes twice', async () => {
  let total = Number.POSITIVE_INFINITY;
  for (let transactions = 0; transactions <= total; transactions++) {
    const origin = testOrigin();
    const dying = dieAfter(origin, transactions);
    // Cached spans, sealed blobs, uploads under way: all that a page writes.
    const first = openPage(origin, AB, { scheduledDelayMillis: 0 });
    const [a, b] = first.clouds as [Cloud, Cloud];
    first.platform.onRequest = (request) =>
      void (a.owns(request) ? a : b).answer(request, isUpload(request) ? 'overloaded' : 'done');
    // Nothing is promised of what ended before the first record of it: no crash then.
    first.endTrace(2);
    await first.platform.advance(100);
    const isWritten = AB.every((place) => leftFor(origin, place).includes('spans'));
    await first.platform.advance(4_000);
    first.endTrace(1);
    await first.platform.advance(4_000);
    const made = dying.done();
    if (transactions > made) total = transactions - 1;
    first.platform.crash();
    const second = await finishOn(origin, AB, first);
    for (const place of AB) {
      const ids = idsAt(second, place);
      assert.equal(new Set(ids).size, ids.length, `twice at ${place} after ${transactions}`);
      if (isWritten) assert.ok(ids.length >= 2, `${ids.length} spans at ${place} after ${transactions}`);
    }
    assert.deepEqual(
      origin.keys().filter(([kind]) => kind !== 'taken'),
      [],
    );
  }
  assert.ok(total > 6, `only ${total} transactions were tried`);
});

test('pages: a note that could be kept for one destination alone loses nothing to the other', async () => {
  const origin = testOrigin();
  const first = openPage(origin, AB, { served: true });
  first.endTrace(2);
  await first.platform.advance(200);
  first.platform.onRequest = undefined;
  first.platform.onBeacon = undefined;
  first.platform.takesBeacons = false;
  // The database is too slow for the last words; there is room for one note.
  Object.assign(origin, { storeHangs: true });
  const { openNotes } = origin;
  let room = 1;
  origin.openNotes = (page) => {
    const notes = openNotes(page);
    return { ...notes, set: (name, text) => room-- > 0 && notes.set(name, text) };
  };
  first.platform.page('leaving');
  await settle();
  first.platform.crash();
  Object.assign(origin, { storeHangs: false, openNotes });
  const second = await finishOn(origin, AB, first);
  for (const place of AB) assertStoredAt(second, place, 2);
});

test('pages: a tail is armed for each destination, and each has its spans once', async () => {
  for (const arrives of [true, false]) {
    const origin = testOrigin();
    const first = openPage(origin, AB, { served: true, defers: true });
    first.endTrace();
    await first.platform.advance(10_000);
    const root = first.startSpan('root');
    first.startSpan('child', root).end();
    await first.platform.advance(2_500);
    const { deferred } = first.platform;
    assert.equal(deferred.length, 2);
    first.platform.crash();
    const owner = (request: { url: string }): Cloud | undefined =>
      first.clouds.find((cloud) => cloud.owns(request));
    if (arrives) for (const request of deferred) await owner(request)?.arrive(request);
    const second = await finishOn(origin, AB, first);
    for (const place of AB) assertStoredAt(second, place, 2);
  }
});

test('pages: two living pages with other destinations do not touch what is each other’s', async () => {
  const origin = testOrigin();
  const one = openPage(origin, AB);
  one.endTrace(2);
  await one.platform.advance(10_000);
  const other = openPage(origin, BA, { earlier: one, served: true });
  other.endTrace(1);
  await other.platform.advance(130_000);
  for (const place of AB) assertStoredAt(other, place, 1);
  serveAll(one.clouds, one.platform);
  await one.platform.advance(60_000);
  for (const place of AB) assertStoredAt(one, place, 3);
  for (const { processor } of [one, other]) {
    assertLedger(processor.stats());
    const { spans, others } = processor.stats();
    assert.equal(spans.adopted + (others[0]?.spans.adopted ?? 0), 0);
  }
});

test('pages: what was adopted for one destination is dropped there alone when its endpoint pauses', async () => {
  const origin = testOrigin();
  const first = openPage(origin, AB);
  first.endTrace(2);
  await first.platform.advance(250);
  first.platform.crash();
  const second = openPage(origin, AB, { earlier: first, served: true });
  (second.clouds[1] as Cloud).paused = true;
  await second.platform.advance(120_000);
  const { spans, others, state } = second.processor.stats();
  assert.deepEqual([state, spans.adopted, spans.stored, spans.dropped], ['running', 2, 2, {}]);
  assert.deepEqual([others[0]?.spans.adopted, others[0]?.spans.dropped], [2, { paused: 2 }]);
  assertLedger(second.processor.stats(), 0);
  assertStoredAt(second, ENDPOINT, 2);
});

test('pages: what comes after one destination was paused is lost to that one alone, and counted at once', async () => {
  const origin = testOrigin();
  const first = openPage(origin, AB, { served: true });
  (first.clouds[0] as Cloud).paused = true;
  first.endTrace(1);
  await first.platform.advance(10_000);
  first.endTrace(2);
  await first.platform.advance(250);
  assert.deepEqual(first.processor.stats().spans.dropped, { paused: 3 });
  assert.deepEqual(first.processor.stats().others[0]?.spans.dropped, {});
  first.platform.crash();
  const second = await finishOn(origin, AB, first);
  assert.deepEqual(second.processor.stats().spans.dropped, {});
  assertStoredAt(second, OTHER_ENDPOINT, 3);
});

test('pages: a cached page whose blobs another took over for one destination goes on with the rest', async () => {
  const origin = testOrigin();
  const first = openPage(origin, AB);
  first.endTrace(2);
  await first.platform.advance(10_000);
  first.platform.page('cached');
  await settle();
  const second = await finishOn(origin, B, first);
  serveAll(first.clouds, first.platform);
  first.platform.page('visible');
  await first.platform.advance(60_000);
  const { spans, others } = first.processor.stats();
  assert.deepEqual([spans.stored, spans.handedOver], [2, 0]);
  // Both have brought it, under one id.
  assert.deepEqual([others[0]?.spans.stored, others[0]?.spans.handedOver], [2, 0]);
  for (const place of AB) assertStoredAt({ ...second, clouds: first.clouds }, place, 2);
  assertLedger(first.processor.stats(), 2);
});
