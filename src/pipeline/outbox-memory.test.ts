import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handMadeBlob } from '../testing/blobs.js';
import { settle, type TestPlatform, testPlatform } from '../testing/platform.js';
import type { TraceBlob } from './model.js';
import type { OutboxLimits } from './outbox.js';
import { type Kept, nothingKept, openMemoryOutbox } from './outbox-memory.js';
import type { OpenOutbox, OpenOutboxDeps } from './outbox-open.js';

interface World extends OpenOutbox {
  platform: TestPlatform;
  adopted: TraceBlob[];
  owed: [string, unknown][];
  handedOver: number;
  dropped: Record<string, number>;
  exceptions: unknown[];
}

const LIMITS = { maxBlobs: 10, maxBytes: 1_000, maxAgeMillis: 60_000 };

/** Opens one on `kept`, with `deps` in place of what an ordinary pipeline does. */
function openOn(
  kept: Kept | undefined,
  {
    id = 'place',
    limits = {},
    ...deps
  }: Partial<OpenOutboxDeps> & { id?: string; limits?: Partial<OutboxLimits> } = {},
): World {
  const platform = testPlatform();
  const seen = { adopted: [], owed: [], handedOver: 0, dropped: {}, exceptions: [] } as Pick<
    World,
    'adopted' | 'owed' | 'handedOver' | 'dropped' | 'exceptions'
  >;
  const opened = openMemoryOutbox(kept)(
    {
      platform,
      destinationId: id,
      newId: () => 'page',
      dropped(reason, spanCount) {
        seen.dropped[reason] = (seen.dropped[reason] ?? 0) + spanCount;
      },
      handedOver(spanCount) {
        world.handedOver += spanCount;
      },
      adoptedBlob: (blob) => void seen.adopted.push(blob),
      owed: (name, value) => void seen.owed.push([name, value]),
      guard(task) {
        try {
          task();
        } catch (error) {
          seen.exceptions.push(error);
        }
      },
      ...deps,
    } as OpenOutboxDeps,
    { ...LIMITS, ...limits },
  );
  const world: World = Object.assign(seen, opened, { platform });
  return world;
}

const spansOf = (blobs: readonly TraceBlob[]): number =>
  blobs.reduce((sum, { spanCount }) => sum + spanCount, 0);
const keptBlobs = (kept: Kept): TraceBlob[] => [...kept.values()].flatMap(({ blobs }) => blobs);

test('memory outbox: what one leaves the next finds, with all that is known of it, once', async () => {
  const kept = nothingKept();
  const first = openOn(kept);
  const blob = handMadeBlob({ spanCount: 3, seq: 7, attempts: 2, notBeforeMillis: 5, heldUntilMillis: 9 });
  await first.outbox.add(blob);
  blob.claim = { key: 'k', token: 't', tries: 1 };
  assert.equal(await first.outbox.claim(blob), true);
  await first.close();
  assert.equal(first.handedOver, 3);
  assert.equal(first.outbox.spanCount, 0);
  assert.deepEqual(first.dropped, {});

  const second = openOn(kept);
  assert.deepEqual(second.adopted, [], 'not before its pipeline is whole');
  await settle();
  // Its request may have arrived: who can be asked is asked.
  assert.deepEqual(second.adopted, [{ ...blob, unconfirmed: true }]);
  assert.deepEqual(second.outbox.list(), second.adopted);
  assert.equal(second.outbox.isDurable(second.outbox.list()[0] as TraceBlob), true);
  assert.equal(kept.size, 0);
  const third = openOn(kept);
  await settle();
  assert.deepEqual(third.adopted, []);
});

test('memory outbox: a request of the one that left changes nothing for the next', async () => {
  const kept = nothingKept();
  const first = openOn(kept);
  const blob = handMadeBlob({ claim: { key: 'k', token: 't', tries: 1 } });
  await first.outbox.add(blob);
  await first.close();
  (blob.claim as { tries: number }).tries = 0;
  blob.attempts = 9;
  const second = openOn(kept);
  await settle();
  assert.deepEqual([second.adopted[0]?.claim?.tries, second.adopted[0]?.attempts], [1, 0]);
  assert.equal(second.adopted[0]?.bytes, blob.bytes, 'the bytes are shared');
});

test('memory outbox: what was never sent is not asked about', async () => {
  const kept = nothingKept();
  const first = openOn(kept);
  await first.outbox.add(handMadeBlob());
  await first.outbox.add(handMadeBlob({ claim: { key: 'k', token: 't', tries: 0 } }));
  await first.close();
  assert.deepEqual(
    keptBlobs(kept).map(({ unconfirmed }) => unconfirmed),
    [false, false],
  );
});

test('memory outbox: each destination finds its own', async () => {
  const kept = nothingKept();
  for (const id of ['a', 'b']) {
    const left = openOn(kept, { id });
    await left.outbox.add(handMadeBlob({ id: `of ${id}` }));
    left.remember('name', id);
    await left.close();
  }
  const [b, a, c] = [openOn(kept, { id: 'b' }), openOn(kept, { id: 'a' }), openOn(kept, { id: 'c' })];
  await settle();
  assert.deepEqual(
    [a, b, c].map(({ adopted, owed }) => [adopted.map(({ id }) => id), owed]),
    [
      [['of a'], [['name', 'a']]],
      [['of b'], [['name', 'b']]],
      [[], []],
    ],
  );
});

test('memory outbox: of two at once one finds it, and both leave what they have', async () => {
  const kept = nothingKept();
  const first = openOn(kept);
  await first.outbox.add(handMadeBlob({ spanCount: 2 }));
  first.remember('lost', { rejected: 1 });
  await first.close();
  const [one, two] = [openOn(kept), openOn(kept)];
  await settle();
  assert.deepEqual([one.adopted.length, two.adopted.length], [1, 0]);
  assert.deepEqual([one.owed, two.owed], [[['lost', { rejected: 1 }]], []]);
  await two.outbox.add(handMadeBlob({ spanCount: 3 }));
  for (const [world, count] of [
    [one, 5],
    [two, 7],
  ] as const) {
    world.remember('lost', { rejected: count });
    world.remember('receipt', count);
    world.remember('receipt', undefined);
  }
  await two.close();
  await one.close();
  const last = openOn(kept);
  await settle();
  assert.equal(spansOf(last.adopted), 5);
  // Neither is forgotten for the other's sake.
  assert.deepEqual(last.owed, [
    ['lost', { rejected: 7 }],
    ['lost', { rejected: 5 }],
  ]);
  // What `two` had left was taken over and left again by `one`.
  assert.deepEqual([one.handedOver, two.handedOver, spansOf(one.adopted)], [5, 3, 5]);
});

test('memory outbox: closed before it has looked, it leaves alone what is kept', async () => {
  const kept = nothingKept();
  const first = openOn(kept);
  await first.outbox.add(handMadeBlob({ spanCount: 2 }));
  await first.close();
  const second = openOn(kept);
  await second.close();
  await settle();
  assert.equal(spansOf(keptBlobs(kept)), 2);
  assert.deepEqual([spansOf(second.adopted), second.handedOver, second.outbox.spanCount], [2, 2, 0]);
  await second.close();
  second.remember('late', 1);
  await second.close();
  assert.equal(spansOf(keptBlobs(kept)), 2, 'once');
  assert.deepEqual(
    [...kept.values()].map(({ owed }) => owed),
    [[]],
  );
});

test('memory outbox: over the limits the oldest goes, those with errors last, and whoever drops it counts it', async () => {
  const kept = nothingKept();
  const [one, two] = [openOn(kept, { limits: { maxBlobs: 3 } }), openOn(kept, { limits: { maxBlobs: 3 } })];
  for (const id of ['1', '2', '3']) {
    await one.outbox.add(
      handMadeBlob({ id, error: id === '2', sealedAtMillis: 1_790_000_000_000 + Number(id) }),
    );
  }
  await two.outbox.add(handMadeBlob({ id: '4', spanCount: 2, sealedAtMillis: 1_790_000_000_004 }));
  await one.close();
  await two.close();
  assert.deepEqual(
    keptBlobs(kept).map(({ id }) => id),
    ['4', '2', '3'],
  );
  assert.deepEqual([one.dropped, one.handedOver], [{}, 3]);
  // adopted = handed over + dropped - its own.
  assert.deepEqual([two.dropped, two.handedOver, spansOf(two.adopted)], [{ 'outbox-full': 1 }, 4, 3]);
});

test('memory outbox: many destinations together stay within the limits of one', async () => {
  const kept = nothingKept();
  let [handedOver, adopted, dropped] = [0, 0, 0];
  for (let tenant = 0; tenant < 50; tenant++) {
    const world = openOn(kept, { id: `tenant ${tenant}` });
    for (let count = 0; count < 4; count++)
      await world.outbox.add(handMadeBlob({ bytes: new Uint8Array(100) }));
    await world.close();
    handedOver += world.handedOver;
    adopted += spansOf(world.adopted);
    dropped += world.dropped['outbox-full'] ?? 0;
    assert.ok(keptBlobs(kept).length <= LIMITS.maxBlobs);
    assert.ok(keptBlobs(kept).reduce((sum, { bytes }) => sum + bytes.length, 0) <= LIMITS.maxBytes);
  }
  assert.deepEqual([...kept.keys()], ['tenant 48', 'tenant 49'], 'the latest');
  assert.equal(handedOver, 200);
  assert.equal(adopted, dropped);
  assert.equal(handedOver - adopted, keptBlobs(kept).length, 'every span has a place');
});

test('memory outbox: what is remembered is bounded, and the latest word on a name counts', async () => {
  const kept = nothingKept();
  for (let round = 0; round < 5; round++) {
    const world = openOn(kept, { id: 'place' });
    world.remember('lost', round);
    for (let count = 0; count < 100; count++) world.remember(`receipt ${round} ${count}`, count);
    world.remember('lost', { round });
    await world.close();
  }
  const { owed } = openOn(kept);
  await settle();
  assert.equal(owed.length, 200);
  assert.deepEqual(owed.at(-1), ['lost', { round: 4 }]);
});

test('memory outbox: what is too old goes, counted, when it is looked at', async () => {
  const kept = nothingKept();
  const first = openOn(kept);
  await first.outbox.add(handMadeBlob({ spanCount: 2 }));
  await first.close();
  const second = openOn(kept);
  second.platform.jump(61_000);
  await settle();
  second.outbox.expire();
  assert.deepEqual(second.dropped, { 'too-old': 2 });
  await second.close();
  assert.equal(kept.size, 0);
});

test('memory outbox: with nowhere to keep anything nothing is durable, and nothing is handed over', async () => {
  const world = openOn(undefined);
  const blob = handMadeBlob();
  await world.outbox.add(blob);
  world.remember('name', 1);
  assert.equal(world.outbox.isDurable(blob), false);
  assert.equal(await world.outbox.claim(blob), true);
  await world.close();
  assert.deepEqual(
    [world.handedOver, world.outbox.list()],
    [0, [blob]],
    'the pipeline has dropped it before',
  );
  const next = openOn(undefined);
  await settle();
  assert.deepEqual([next.adopted, next.owed], [[], []]);
});

test('memory outbox: a destination that throws at what is kept for it loses none of it', async () => {
  const kept = nothingKept();
  const first = openOn(kept);
  for (let count = 0; count < 2; count++) await first.outbox.add(handMadeBlob());
  for (const name of ['a', 'b']) first.remember(name, 1);
  await first.close();
  const throws = (): never => assert.fail('planted');
  const second = openOn(kept, { owed: throws, adoptedBlob: throws });
  await settle();
  assert.equal(second.exceptions.length, 4);
  assert.equal(second.outbox.list().length, 2);
});

test('memory outbox: nothing is a database, a checkpoint or a page that leaves', async () => {
  const world = openOn(nothingKept());
  assert.deepEqual([world.isDurable, world.checkpoint, world.page], [false, undefined, 'page']);
  for (const way of ['save', 'unload', 'leave'] as const) world[way]();
  await world.back();
  assert.deepEqual(world.platform.loose, { timers: 0, listeners: 0 });
});
