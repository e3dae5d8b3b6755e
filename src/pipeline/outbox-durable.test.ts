import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoreKey } from '../platform/platform.js';
import { handMadeBlob } from '../testing/blobs.js';
import { type TestOrigin, testOrigin } from '../testing/origin.js';
import { settle, type TestPlatform, testPlatform } from '../testing/platform.js';
import type { TraceBlob } from './model.js';
import { createOutbox, type Outbox } from './outbox.js';
import { createWriteQueue, type WriteQueue } from './outbox-queue.js';
import { recordOf, stateOf } from './outbox-record.js';

const PREFIX = ['lane', 'page'];

interface World {
  platform: TestPlatform;
  origin: TestOrigin;
  outbox: Outbox;
  queue: WriteQueue;
  handedOver: number;
  isTaken: boolean;
  /** What is in the database under a kind and the blob's id. */
  written(kind: 'blob' | 'state', blob: TraceBlob): unknown;
}

function setUp(limits: { maxBlobs?: number } = {}): World {
  const origin = testOrigin();
  const platform = testPlatform({ origin });
  const queue = createWriteQueue({
    store: origin.openStore(),
    ready: Promise.resolve(),
    after: platform.after,
    failed() {},
  });
  const world: Omit<World, 'outbox'> = {
    ...{ platform, origin, queue, handedOver: 0, isTaken: false },
    written: (kind, { id }) => origin.records.get(JSON.stringify([...PREFIX, kind, id])),
  };
  const outbox = createOutbox(
    {
      now: platform.now,
      queue,
      prefix: PREFIX,
      dropped() {},
      handedOver(spanCount) {
        world.handedOver += spanCount;
      },
      isTaken: async () => world.isTaken,
    },
    { maxBlobs: 10, maxBytes: 1_000, maxAgeMillis: 60_000, ...limits },
  );
  return Object.assign(world, { outbox });
}

/** A blob that gets its key after it was written ahead. */
async function withKey({ outbox }: World): Promise<TraceBlob> {
  const blob = handMadeBlob({ spanCount: 3 });
  await outbox.add(blob);
  blob.claim = { key: 'k', token: 't', tries: 1 };
  return blob;
}

test('outbox: a blob is listed at once, and durable once it is written', async () => {
  const world = setUp();
  const blob = handMadeBlob();
  const added = world.outbox.add(blob);
  assert.deepEqual(world.outbox.list(), [blob]);
  assert.equal(world.outbox.isDurable(blob), false);
  await added;
  assert.equal(world.outbox.isDurable(blob), true);
  assert.deepEqual(world.written('blob', blob), recordOf(blob));
  assert.equal(world.written('state', blob), undefined, 'nothing to say of it yet');
});

test('outbox: a blob that cannot be written stays in memory', async () => {
  const world = setUp();
  const blob = handMadeBlob();
  world.origin.storeError = new Error('QuotaExceededError');
  await world.outbox.add(blob);
  assert.deepEqual(world.outbox.list(), [blob]);
  assert.equal(world.outbox.isDurable(blob), false);
  assert.deepEqual(world.outbox.unsaved(), [{ blob, whole: true }]);
});

test('outbox: a deleted blob leaves nothing behind', async () => {
  const world = setUp();
  const blob = await withKey(world);
  await world.outbox.claim(blob);
  assert.equal(world.origin.keys().length, 2);
  world.outbox.delete(blob);
  await settle();
  assert.deepEqual(world.origin.keys(), []);
});

test('outbox: what is evicted leaves the database too', async () => {
  const world = setUp({ maxBlobs: 1 });
  const [older, newer] = [handMadeBlob(), handMadeBlob()];
  await world.outbox.add(older);
  await world.outbox.add(newer);
  assert.equal(world.written('blob', older), undefined);
  assert.ok(world.written('blob', newer));
});

test('outbox: an adopted blob is durable, and not written again', async () => {
  const world = setUp();
  const blob = handMadeBlob({ spanCount: 2 });
  world.outbox.adopt(blob);
  await settle();
  assert.equal(world.outbox.isDurable(blob), true);
  assert.deepEqual([world.outbox.spanCount, world.outbox.byteCount], [2, 10]);
  assert.deepEqual(world.outbox.unsaved(), []);
  assert.deepEqual(world.origin.keys(), []);
});

test('outbox: what is adopted counts against the limits', () => {
  const world = setUp({ maxBlobs: 1 });
  const [own, adopted] = [handMadeBlob(), handMadeBlob()];
  world.outbox.adopt(own);
  world.outbox.adopt(adopted);
  assert.deepEqual(world.outbox.list(), [adopted]);
});

test('outbox: what changed is written down when asked for, of those that are named, and only once', async () => {
  const world = setUp();
  const [one, other] = [handMadeBlob(), handMadeBlob()];
  for (const blob of [one, other]) {
    await world.outbox.add(blob);
    blob.attempts = 1;
  }
  world.outbox.save([one]);
  await settle();
  assert.deepEqual(world.written('state', one), stateOf(one));
  assert.equal(world.written('state', other), undefined);
  let writes = 0;
  const { change } = world.queue;
  world.queue.change = (...args) => {
    writes++;
    change(...args);
  };
  world.outbox.save();
  world.outbox.save();
  await settle();
  assert.equal(writes, 1);
  assert.deepEqual(world.written('state', other), stateOf(other));
});

test('outbox: what could not be written down is tried again with the next change', async () => {
  const world = setUp();
  const blob = handMadeBlob();
  await world.outbox.add(blob);
  blob.attempts = 1;
  world.origin.storeError = new Error('planted');
  world.outbox.save();
  await settle();
  assert.deepEqual(world.outbox.unsaved(), [{ blob, whole: false }]);
  world.origin.storeError = undefined;
  world.outbox.save();
  await settle();
  assert.deepEqual(world.written('state', blob), stateOf(blob));
  assert.deepEqual(world.outbox.unsaved(), []);
});

test('outbox: a key is written down before anything goes there', async () => {
  const world = setUp();
  const blob = await withKey(world);
  assert.equal(await world.outbox.claim(blob), true);
  assert.deepEqual(world.written('state', blob), stateOf(blob));
  assert.deepEqual(world.outbox.unsaved(), []);
  world.outbox.save();
  await settle();
  assert.equal(world.outbox.isDurable(blob), true);
});

test('outbox: a blob that another page took is handed over before anything goes out', async () => {
  const world = setUp();
  const blob = await withKey(world);
  world.origin.records.clear();
  world.isTaken = true;
  assert.equal(await world.outbox.claim(blob), false);
  assert.equal(world.handedOver, 3);
  assert.deepEqual(world.outbox.list(), []);
  assert.equal(world.outbox.spanCount, 0);
  await settle();
  assert.deepEqual(world.origin.keys(), [], 'it is not ours to delete or write');
  assert.equal(await world.outbox.claim(blob), false, 'it is gone');
});

test('outbox: what the user has cleared is written again, with its key', async () => {
  const world = setUp();
  const blob = await withKey(world);
  world.origin.records.clear();
  assert.equal(await world.outbox.claim(blob), true);
  await settle();
  assert.deepEqual(world.written('blob', blob), recordOf(blob));
  blob.attempts = 1;
  world.outbox.save([blob]);
  await settle();
  assert.deepEqual(world.written('state', blob), stateOf(blob));
  assert.equal(world.handedOver, 0);
});

for (const trouble of ['storeError', 'storeHangs'] as const) {
  test(`outbox: with ${trouble} a blob is sent all the same, and its key is not taken for written`, async () => {
    const world = setUp();
    const blob = await withKey(world);
    Object.assign(world.origin, { [trouble]: new Error('planted') });
    const claimed = world.outbox.claim(blob);
    await world.platform.advance(2_000);
    assert.equal(await claimed, true);
    assert.deepEqual(world.outbox.unsaved(), [{ blob, whole: false }]);
    Object.assign(world.origin, { storeError: undefined, storeHangs: false });
    world.outbox.save();
    await settle();
    assert.deepEqual(world.written('state', blob), stateOf(blob));
  });
}

test('outbox: a claim waits until its blob is written, so that it cannot be taken for cleared', async () => {
  const world = setUp();
  const blob = handMadeBlob({ claim: { key: 'k', token: 't', tries: 1 } });
  void world.outbox.add(blob);
  assert.equal(await world.outbox.claim(blob), true);
  assert.deepEqual(world.written('state', blob), stateOf(blob));
});

test('outbox: a blob whose record comes late brings its key along', async () => {
  const world = setUp();
  const blob = handMadeBlob();
  let written = (_: boolean): void => {};
  const { change } = world.queue;
  world.queue.change = (key, value, done = () => {}) => {
    if (key[2] === 'blob') written = done;
    else change(key, value, done);
  };
  await world.outbox.add(blob);
  blob.claim = { key: 'k', token: 't', tries: 1 };
  assert.equal(await world.outbox.claim(blob), true, 'sent without waiting any longer');
  assert.equal(world.written('state', blob), undefined);
  written(true);
  await settle();
  assert.deepEqual(world.written('state', blob), stateOf(blob));
});

test('outbox: after a time away, what may not have been written is written again, and nothing else', async () => {
  const world = setUp();
  const [known, changed, unknown] = [handMadeBlob(), handMadeBlob(), handMadeBlob()];
  for (const blob of [known, changed]) await world.outbox.add(blob);
  world.origin.storeHangs = true;
  changed.attempts = 1;
  void world.outbox.add(unknown);
  world.outbox.save();
  await settle();
  world.origin.storeHangs = false;
  assert.deepEqual(world.outbox.unsaved(), [
    { blob: changed, whole: false },
    { blob: unknown, whole: true },
  ]);
  const keys: StoreKey[] = [];
  const { change } = world.queue;
  world.queue.change = (key, ...rest) => {
    keys.push(key);
    change(key, ...rest);
  };
  world.outbox.rewrite();
  await settle();
  assert.deepEqual(
    keys.map(([, , ...rest]) => rest),
    [
      ['blob', unknown.id],
      ['state', changed.id],
    ],
  );
  assert.deepEqual(world.outbox.unsaved(), []);
});

test('outbox: of what others took while the page was away, nothing is kept or deleted', async () => {
  const world = setUp();
  const [taken, kept] = [handMadeBlob({ spanCount: 4 }), handMadeBlob()];
  for (const blob of [taken, kept]) await world.outbox.add(blob);
  const seen: boolean[] = [];
  world.outbox.reconcile((blob, isDurable) => {
    seen.push(isDurable);
    return blob === taken;
  });
  await settle();
  assert.deepEqual(seen, [true, true]);
  assert.deepEqual(world.outbox.list(), [kept]);
  assert.equal(world.handedOver, 4);
  assert.ok(world.written('blob', taken), 'it may be another page’s by now');
});
