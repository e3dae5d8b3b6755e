import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { handMadeBlob } from '../testing/blobs.js';
import { handMade, setUp as setUpEncoding } from '../testing/encoding.js';
import { type TestOrigin, testOrigin } from '../testing/origin.js';
import { settle, type TestPlatform, testPlatform } from '../testing/platform.js';
import { bodyOf } from './encode.js';
import type { TraceBlob } from './model.js';
import { type OpenOutbox, openOutbox } from './outbox-open.js';

interface Page {
  platform: TestPlatform;
  opened: OpenOutbox;
  blobs: TraceBlob[];
  traceCount: number;
  handedOver: number;
  owed: [string, unknown][];
  failures: number;
}

const bytes = new Uint8Array(gzipSync('{"resourceSpans":[]}'));
const sound = (): TraceBlob => handMadeBlob({ bytes, rawBytes: 20 });

let seed = 500;
function openPage(origin: TestOrigin | undefined, destinationId = 'shop', defers = false): Page {
  seed += 10;
  const platform = testPlatform({ origin, seed, defers });
  const page: Omit<Page, 'opened'> = {
    ...{ platform, blobs: [], traceCount: 0, handedOver: 0, owed: [], failures: 0 },
  };
  const opened = openOutbox(
    {
      platform,
      destinationId,
      newId: () => 'made-up',
      encodeAhead: setUpEncoding().encoder.encodeAhead,
      dropped() {},
      handedOver(spanCount) {
        page.handedOver += spanCount;
      },
      adoptedBlob: (blob) => void page.blobs.push(blob),
      adoptedTraces(traces) {
        page.traceCount += traces.length;
      },
      owed: (name, value) => void page.owed.push([name, value]),
      corrupt() {},
      storeFailed() {
        page.failures++;
      },
      trouble() {},
      guard: (task) => task(),
      bodyOf,
      gzip: async (json) => ({ bytes: new Uint8Array(gzipSync(json)), rawBytes: json.length }),
      seq: () => 1,
      reserve: () => ({ key: 'k', token: 't', tries: 0 }),
      unreserve() {},
      defer: () => () => true,
    },
    { maxBlobs: 100, maxBytes: 1_000_000, maxAgeMillis: 86_400_000 },
  );
  return Object.assign(page, { opened });
}
const kindsOf = (origin: TestOrigin): string[] =>
  origin.keys().flatMap(([first, , kind]) => (first?.startsWith('to ') && kind ? [kind] : []));

test('open outbox: without a database nothing lasts, and nothing fails', async () => {
  const { platform, opened, failures } = openPage(undefined);
  assert.equal(opened.checkpoint, undefined);
  assert.equal(opened.page, 'made-up');
  const blob = sound();
  await opened.outbox.add(blob);
  assert.equal(opened.outbox.isDurable(blob), false);
  opened.leave();
  await opened.back();
  opened.unload();
  await opened.close();
  assert.equal(failures, 0);
  assert.equal(platform.loose.timers, 0);
});

test('open outbox: what others left is taken over soon after the start, and looked for each minute', async () => {
  const origin = testOrigin();
  const dying = [openPage(origin), openPage(origin)];
  for (const { opened } of dying) await opened.outbox.add(sound());
  const [first, second] = dying as [Page, Page];
  first.platform.crash();
  const next = openPage(origin);
  await next.platform.advance(1_000);
  assert.equal(next.blobs.length, 1);
  assert.equal(next.opened.outbox.spanCount, 1);
  second.platform.crash();
  await next.platform.advance(59_000);
  assert.equal(next.blobs.length, 1);
  await next.platform.advance(2_000);
  assert.equal(next.blobs.length, 2);
});

test('open outbox: a failure to take over is reported, and tried again after a minute', async () => {
  const origin = testOrigin();
  const first = openPage(origin);
  await first.opened.outbox.add(sound());
  first.platform.crash();
  const next = openPage(origin);
  origin.storeError = new Error('planted');
  await next.platform.advance(2_000);
  assert.equal(next.failures, 1);
  origin.storeError = undefined;
  await next.platform.advance(60_000);
  assert.equal(next.blobs.length, 1);
});

test('open outbox: what another destination left is not ours', async () => {
  const origin = testOrigin();
  const first = openPage(origin, 'elsewhere');
  await first.opened.outbox.add(sound());
  first.platform.crash();
  const next = openPage(origin);
  await next.platform.advance(200_000);
  assert.equal(next.blobs.length, 0);
});

test('open outbox: a page that is away takes nothing over', async () => {
  const origin = testOrigin();
  const next = openPage(origin);
  next.opened.leave();
  const first = openPage(origin, 'shop');
  await first.opened.outbox.add(sound());
  first.platform.crash();
  await next.platform.advance(200_000);
  assert.equal(next.blobs.length, 0);
  await next.opened.back();
  await next.platform.advance(1_000);
  assert.equal(next.blobs.length, 1);
});

test('open outbox: what is to be remembered waits for the next page', async () => {
  const origin = testOrigin();
  const first = openPage(origin);
  first.opened.remember('a', 1);
  first.opened.remember('b', 2);
  first.opened.remember('b', undefined);
  await settle();
  first.platform.crash();
  const next = openPage(origin);
  await next.platform.advance(1_000);
  assert.deepEqual(next.owed, [['a', 1]]);
  assert.deepEqual(kindsOf(origin), []);
});

test('open outbox: what is to be remembered comes once, also when taking over fails at its end', async () => {
  const origin = testOrigin();
  const first = openPage(origin);
  first.opened.remember('lost', { rejected: 3 });
  await settle();
  first.platform.crash();
  const next = openPage(origin);
  await settle();
  // The last thing that is done to a page is to delete what is left of it.
  const notes = origin.notes;
  const forget = notes.delete.bind(notes);
  notes.delete = (name) => {
    origin.storeError = new Error('planted');
    return forget(name);
  };
  await next.platform.advance(1_000);
  assert.equal(next.failures, 1);
  notes.delete = forget;
  origin.storeError = undefined;
  await next.platform.advance(60_000);
  assert.deepEqual(next.owed, [['lost', { rejected: 3 }]]);
});

/** A page that was put away while the database did not answer: only its note has the blob. */
async function noted(): Promise<{ origin: TestOrigin; page: Page; blob: TraceBlob }> {
  const origin = testOrigin();
  const page = openPage(origin);
  await settle();
  origin.storeHangs = true;
  const blob = sound();
  void page.opened.outbox.add(blob);
  page.opened.leave();
  await settle();
  origin.storeHangs = false;
  assert.deepEqual([origin.notes.size, kindsOf(origin)], [1, []]);
  return { origin, page, blob };
}

/** The page returns, and waits for the database as long as it does. */
async function back({ platform, opened }: Page): Promise<void> {
  const known = opened.back();
  await platform.advance(1_000);
  await known;
}

test('open outbox: what only the note has is in the database once the page is back, and the note goes', async () => {
  const { origin, page, blob } = await noted();
  await back(page);
  assert.deepEqual([origin.notes.size, kindsOf(origin)], [0, ['blob']]);
  assert.equal(page.opened.outbox.isDurable(blob), true);
});

test('open outbox: what only the note had and another took is handed over', async () => {
  const { origin, page } = await noted();
  const next = openPage(origin);
  await next.platform.advance(1_000);
  await back(page);
  assert.equal(page.handedOver, 1);
  assert.deepEqual(page.opened.outbox.list(), []);
  assert.equal(next.opened.outbox.list().length, 1);
});

test('open outbox: the note does not outlive the return of a page whose database fails', async () => {
  const { origin, page, blob } = await noted();
  origin.storeError = new Error('planted');
  await back(page);
  assert.ok(page.failures > 0);
  assert.deepEqual(page.opened.outbox.list(), [blob]);
  origin.storeError = undefined;
  // It is sent, and the page crashes.
  page.opened.outbox.delete(blob);
  page.platform.crash();
  const next = openPage(origin);
  await next.platform.advance(1_000);
  assert.deepEqual(next.blobs, [], 'it would be sent again');
});

test('open outbox: what should have gone from the database as the page was put away goes when it is back', async () => {
  const origin = testOrigin();
  const page = openPage(origin);
  const [sealed, waiting] = [handMade(), handMade()];
  for (const span of [sealed, waiting]) {
    page.opened.checkpoint?.ended(span);
    await page.platform.advance(200);
  }
  origin.storeHangs = true;
  page.opened.checkpoint?.release([sealed]);
  page.opened.leave();
  await settle();
  origin.storeHangs = false;
  assert.deepEqual(kindsOf(origin), ['spans', 'spans']);
  await back(page);
  assert.deepEqual(kindsOf(origin), ['spans']);
  page.opened.checkpoint?.release([waiting]);
  await settle();
  assert.deepEqual(kindsOf(origin), []);
});

test('open outbox: an armed tail that was sealed as the page was put away goes when it is back', async () => {
  const origin = testOrigin();
  const page = openPage(origin, 'shop', true);
  const span = handMade();
  page.opened.checkpoint?.ended(span);
  await page.platform.advance(2_000);
  assert.deepEqual(kindsOf(origin), ['blob', 'state']);
  origin.storeHangs = true;
  page.opened.checkpoint?.release([span]);
  page.opened.leave();
  await settle();
  origin.storeHangs = false;
  await back(page);
  assert.deepEqual(kindsOf(origin), []);
});

for (const hangs of ['read', 'write'] as const) {
  test(`open outbox: a page that leaves again while the database hangs at a ${hangs} leaves its last words alone`, async () => {
    const origin = testOrigin();
    let isHung = false;
    let end = (_: Error): void => {};
    const { openStore } = origin;
    origin.openStore = () => {
      const store = openStore();
      const hung = (): Promise<never> =>
        new Promise((_, reject) => {
          end = reject;
        });
      return { ...store, [hangs]: (...args: [never, never]) => (isHung ? hung() : store[hangs](...args)) };
    };
    const page = openPage(origin);
    await page.platform.advance(1_000);
    page.opened.leave();
    isHung = true;
    let isKnown = false;
    void page.opened.back().then(() => {
      isKnown = true;
    });
    origin.storeHangs = hangs === 'read';
    void page.opened.outbox.add(sound());
    await settle();
    assert.equal(isKnown, false);
    page.opened.leave();
    assert.equal(origin.notes.size, 1);
    isHung = origin.storeHangs = false;
    end(new Error('AbortError'));
    await page.platform.advance(2_000);
    assert.equal(isKnown, true);
    assert.equal(origin.notes.size, 1);
    assert.deepEqual(kindsOf(origin), [], 'what others may take is not written any more');
    const next = openPage(origin);
    await next.platform.advance(1_000);
    assert.equal(next.blobs.length, 1);
    await back(page);
    assert.equal(page.handedOver, 1);
    assert.deepEqual(page.opened.outbox.list(), []);
  });
}

test('open outbox: a return is known only when the latest one is', async () => {
  const origin = testOrigin();
  const page = openPage(origin);
  await page.platform.advance(1_000);
  origin.storeHangs = true;
  const known: string[] = [];
  for (const name of ['first', 'second']) {
    page.opened.leave();
    void page.opened.back().then(() => known.push(name));
    await settle();
  }
  assert.deepEqual(known, []);
  origin.endHang(true);
  await page.platform.advance(2_000);
  assert.deepEqual(known, ['second', 'first']);
});

test('open outbox: as a navigation begins spans are taken out of the database, and are there again if the page stays', async () => {
  const origin = testOrigin();
  const page = openPage(origin);
  await page.platform.advance(1_000);
  await page.opened.outbox.add(sound());
  page.opened.checkpoint?.ended(handMade());
  await page.platform.advance(100);
  assert.deepEqual(kindsOf(origin), ['blob', 'spans']);
  page.opened.unload();
  await settle();
  assert.deepEqual(kindsOf(origin), ['blob']);
  assert.equal(origin.held.size, 0);
  page.opened.checkpoint?.ended(handMade());
  await page.platform.advance(9_000);
  assert.deepEqual(kindsOf(origin), ['blob']);
  await page.platform.advance(2_000);
  assert.deepEqual(kindsOf(origin), ['blob', 'spans']);
  assert.equal(origin.held.size, 1);
});

test('open outbox: a page that leaves after all stays away', async () => {
  const origin = testOrigin();
  const page = openPage(origin);
  await page.platform.advance(1_000);
  page.opened.unload();
  page.opened.leave();
  page.opened.unload();
  await page.platform.advance(20_000);
  assert.equal(origin.held.size, 0);
});

test('open outbox: close writes all down, ends all timers and lets others take over', async () => {
  const origin = testOrigin();
  const page = openPage(origin);
  await page.platform.advance(1_000);
  page.opened.checkpoint?.ended(handMade());
  const blob = sound();
  void page.opened.outbox.add(blob);
  blob.attempts = 1;
  await page.opened.close();
  assert.deepEqual(kindsOf(origin), ['blob', 'state']);
  assert.equal(origin.held.size, 0);
  assert.equal(page.platform.loose.timers, 0);
  const next = openPage(origin);
  await next.platform.advance(1_000);
  assert.equal(next.blobs[0]?.attempts, 1);
});
