import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handMadeBlob } from '../testing/blobs.js';
import { settle, type TestPlatform, testPlatform } from '../testing/platform.js';
import { createDispatch, type Dispatch } from './dispatch.js';
import type { Outcome, SendMode, TraceBlob } from './model.js';
import { nextDelayMillis } from './retry.js';

interface World {
  platform: TestPlatform;
  dispatch: Dispatch;
  waiting: TraceBlob[];
  /** Sends that were begun and have no outcome yet. */
  begun: { blob: TraceBlob; mode: SendMode; end(outcome: Outcome): Promise<void> }[];
  stored: TraceBlob[];
  dropped: string[];
  isReady: boolean;
  /** How often what is known of a blob has changed. */
  changed: number;
}

function setUp(count = 0): World {
  const platform = testPlatform({ random: () => 0.5 });
  const waiting = Array.from({ length: count }, () => handMadeBlob());
  const world: Omit<World, 'dispatch'> = {
    ...{ platform, waiting, begun: [], stored: [], dropped: [], isReady: true, changed: 0 },
  };
  const gone = (blob: TraceBlob): void => void waiting.splice(waiting.indexOf(blob), 1);
  const dispatch = createDispatch({
    platform,
    nextDelayMillis,
    waiting: () => waiting,
    ready: () => world.isReady,
    send: (blob, mode) =>
      new Promise((resolve) => {
        const send = {
          ...{ blob, mode },
          end(outcome: Outcome) {
            world.begun.splice(world.begun.indexOf(send), 1);
            resolve(outcome);
            return settle();
          },
        };
        world.begun.push(send);
      }),
    stored(blob) {
      gone(blob);
      world.stored.push(blob);
    },
    dropped(blob, reason) {
      gone(blob);
      world.dropped.push(reason);
    },
    changed() {
      world.changed++;
    },
    failed() {},
  });
  return Object.assign(world, { dispatch });
}

const leaveAll = ({ dispatch, waiting }: World): void => {
  for (const blob of [...waiting]) dispatch.leave(blob);
};
const STORED: Outcome = { status: 'stored' };
const FAILED: Outcome = { status: 'retryable', cause: 'planted' };

test('dispatch: at most four at once, then the next', async () => {
  const world = setUp(6);
  world.dispatch.wake();
  world.dispatch.wake();
  assert.equal(world.begun.length, 4);
  assert.equal(world.dispatch.inFlightCount, 4);
  await world.begun[0]?.end(STORED);
  assert.equal(world.begun.length, 4);
  while (world.begun.length) await world.begun[0]?.end(STORED);
  assert.equal(world.stored.length, 6);
  assert.equal(world.platform.loose.timers, 0);
});

test('dispatch: while sends fail, one blob at a time is the probe, the least tried first', async () => {
  const world = setUp(5);
  world.dispatch.wake();
  const [first] = world.waiting;
  while (world.begun.length) await world.begun[0]?.end(FAILED);
  await world.platform.advance(60_000);
  assert.equal(world.begun.length, 1);
  assert.equal(world.begun[0]?.blob.attempts, 0);
  assert.notEqual(world.begun[0]?.blob, first);
  await world.begun[0]?.end(STORED);
  assert.equal(world.begun.length, 4, 'after a success all go');
});

test('dispatch: backoff grows, and attempts stay with the blob', async () => {
  const world = setUp(1);
  world.dispatch.wake();
  for (const millis of [500, 1_000, 2_000, 4_000]) {
    await world.begun[0]?.end(FAILED);
    await world.platform.advance(millis - 1);
    assert.equal(world.begun.length, 0, `sent before ${millis} ms`);
    await world.platform.advance(1);
    assert.equal(world.begun.length, 1, `not sent after ${millis} ms`);
  }
  assert.equal(world.waiting[0]?.attempts, 4);
});

test('dispatch: the server’s patience holds everything, also when the network returns', async () => {
  const world = setUp(1);
  world.dispatch.wake();
  await world.begun[0]?.end({ ...FAILED, retryAfterMillis: 60_000 });
  world.waiting.push(handMadeBlob());
  world.dispatch.hurry();
  await world.platform.advance(60_000);
  assert.equal(world.begun.length, 0);
  await world.platform.advance(500);
  assert.equal(world.begun.length, 1);
});

test('dispatch: our own backoff ends when somebody hurries', async () => {
  const world = setUp(1);
  world.dispatch.wake();
  await world.begun[0]?.end(FAILED);
  assert.equal(world.begun.length, 0);
  world.dispatch.hurry();
  assert.equal(world.begun.length, 1);
});

test('dispatch: a wall clock that is set back by a day does not hold a blob for a day', async () => {
  const world = setUp(1);
  world.dispatch.wake();
  await world.begun[0]?.end(FAILED);
  world.platform.jump(-86_400_000);
  await world.platform.advance(1_000);
  assert.equal(world.begun.length, 1);
});

test('dispatch: a rejected blob is dropped with its reason, and keeps nobody waiting', async () => {
  const world = setUp(5);
  world.dispatch.wake();
  await world.begun[0]?.end({ status: 'rejected', reason: 'rejected', cause: 'planted' });
  assert.deepEqual(world.dropped, ['rejected']);
  assert.equal(world.begun.length, 4);
});

test('dispatch: what a beacon took is asked about later, and is no failed attempt', async () => {
  const world = setUp(1);
  leaveAll(world);
  await world.begun[0]?.end({ status: 'unconfirmed', askInMillis: 5_000 });
  assert.deepEqual([world.waiting[0]?.unconfirmed, world.waiting[0]?.attempts], [true, 0]);
  leaveAll(world);
  assert.equal(world.begun.length, 0, 'sent twice');
  await world.platform.advance(5_000);
  assert.equal(world.begun.length, 1);
  await world.begun[0]?.end(FAILED);
  leaveAll(world);
  assert.equal(world.begun.length, 1, 'left behind');
});

test('dispatch: nothing is sent that is not ready, and an unready one is asked about on the next wake', async () => {
  const world = setUp(1);
  world.isReady = false;
  world.dispatch.wake();
  assert.equal(world.begun.length, 0);
  assert.equal(world.platform.loose.timers, 0, 'nobody polls');
  world.isReady = true;
  world.dispatch.wake();
  assert.equal(world.begun.length, 1);
});

test('dispatch: leaving begins all in this task, beyond four and whatever the backoff', () => {
  const world = setUp();
  for (let count = 0; count < 5; count++) {
    world.waiting.push(handMadeBlob({ notBeforeMillis: Number.MAX_SAFE_INTEGER }));
  }
  leaveAll(world);
  assert.deepEqual(
    world.begun.map(({ blob, mode }) => [blob, mode]),
    world.waiting.map((blob) => [blob, 'leaving']),
  );
});

test('dispatch: a blob that is sent twice is free only when both have ended', async () => {
  const world = setUp(1);
  world.dispatch.wake();
  leaveAll(world);
  assert.deepEqual(
    world.begun.map(({ mode }) => mode),
    ['normal', 'leaving'],
  );
  await world.begun[1]?.end({ status: 'unready' });
  world.dispatch.wake();
  assert.equal(world.begun.length, 1, 'a third send was begun');
  await world.begun[0]?.end(STORED);
  assert.equal(world.dispatch.inFlightCount, 0);
  assert.equal(world.stored.length, 1);
});

test('dispatch: of two sends the first to fail does not set the blob free either', async () => {
  const world = setUp(1);
  world.dispatch.wake();
  leaveAll(world);
  await world.begun[0]?.end({ ...FAILED, retryAfterMillis: 0 });
  await world.platform.advance(60_000);
  assert.deepEqual(
    world.begun.map(({ mode }) => mode),
    ['leaving'],
  );
});

test('dispatch: a round ends when nothing is in flight, and tells whether it was of use', async () => {
  const world = setUp(2);
  const round = async (outcome: Outcome): Promise<boolean> => {
    const done = world.dispatch.round();
    while (world.begun.length) await world.begun[0]?.end(outcome);
    return done;
  };
  assert.equal(await round(FAILED), false);
  assert.equal(await round(STORED), true);
  assert.equal(await round(STORED), false, 'nothing was left');
});

test('dispatch: after close nothing is sent and no timer is set', async () => {
  const world = setUp(1);
  world.dispatch.wake();
  await world.begun[0]?.end(FAILED);
  world.dispatch.close();
  world.dispatch.wake();
  world.dispatch.hurry();
  await world.platform.advance(600_000);
  assert.equal(world.begun.length, 0);
  assert.equal(world.platform.loose.timers, 0);
});

test('dispatch: the patience that an earlier page was asked for holds everything, the longest, and hurry does not end it', async () => {
  const world = setUp(1);
  const { platform, dispatch } = world;
  const now = platform.now();
  dispatch.hold(now + 5_000);
  dispatch.hold(now + 2_000);
  dispatch.wake();
  dispatch.hurry();
  await platform.advance(4_999);
  assert.equal(world.begun.length, 0);
  await platform.advance(1);
  assert.equal(world.begun.length, 1);
});

test('dispatch: patience of more than two hours is none: a clock was set', () => {
  for (const [millis, begun] of [
    [7_199_999, 0],
    [7_200_000, 1],
  ] as const) {
    const world = setUp(1);
    world.dispatch.hold(world.platform.now() + millis);
    world.dispatch.wake();
    assert.equal(world.begun.length, begun, `${millis} ms`);
  }
});

test('dispatch: patience that was none holds nothing later either', async () => {
  const world = setUp();
  world.dispatch.hold(world.platform.now() + 10_000_000);
  await world.platform.advance(5_000_000);
  world.waiting.push(handMadeBlob());
  world.dispatch.wake();
  assert.equal(world.begun.length, 1);
});

test('dispatch: only what a server asked for is written down to hold the next page', async () => {
  const world = setUp(1);
  world.dispatch.wake();
  await world.begun[0]?.end(FAILED);
  assert.equal(world.waiting[0]?.heldUntilMillis, undefined);
  world.dispatch.hurry();
  const now = world.platform.now();
  await world.begun[0]?.end({ ...FAILED, retryAfterMillis: 60_000 });
  assert.equal(world.waiting[0]?.heldUntilMillis, now + 60_500);
});

test('dispatch: a delay for one blob alone does not keep the others', async () => {
  const world = setUp(1);
  world.dispatch.wake();
  await world.begun[0]?.end({ ...FAILED, delayMillis: 60_000 });
  const other = handMadeBlob();
  world.waiting.push(other);
  world.dispatch.wake();
  await world.platform.advance(500);
  assert.deepEqual(
    world.begun.map(({ blob }) => blob),
    [other],
  );
  await world.begun[0]?.end(STORED);
  await world.platform.advance(59_999);
  assert.equal(world.begun.length, 0);
  await world.platform.advance(1);
  assert.equal(world.begun.length, 1);
});

test('dispatch: a blob that another page took is no failure, and keeps nobody waiting', async () => {
  const world = setUp(6);
  world.dispatch.wake();
  const [send] = world.begun;
  world.waiting.splice(0, 1);
  const failed = world.changed;
  await send?.end({ status: 'gone' });
  assert.equal(world.changed, failed);
  assert.equal(world.begun.length, 4);
  assert.deepEqual([world.stored, world.dropped], [[], []]);
});

test('dispatch: every change of what is known of a blob is told, and a success is none', async () => {
  const world = setUp(1);
  world.dispatch.wake();
  await world.begun[0]?.end(FAILED);
  world.dispatch.hurry();
  await world.begun[0]?.end({ status: 'unconfirmed', askInMillis: 5_000 });
  assert.equal(world.changed, 2);
  world.dispatch.hurry();
  await world.begun[0]?.end(STORED);
  assert.equal(world.changed, 2);
});

test('dispatch: once closed it looks at nothing any more, as what waits may be another’s', async () => {
  const world = setUp(1);
  let looks = 0;
  const { dispatch } = world;
  Object.defineProperty(world.waiting, Symbol.iterator, {
    value: () => {
      looks++;
      return [].values();
    },
  });
  dispatch.close();
  dispatch.hurry();
  dispatch.wake();
  assert.equal(await dispatch.round(), false);
  assert.equal(looks, 0);
});
