import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDiagnostics } from '../diagnostics/diagnostics.js';
import type { Claim, TraceBlob } from '../pipeline/model.js';
import { handMadeBlob, handMadeUpload } from '../testing/blobs.js';
import { type TestPlatform, testPlatform } from '../testing/platform.js';
import { type BucketKeys, createBucketKeys } from './bucket-keys.js';

interface World {
  platform: TestPlatform;
  keys: BucketKeys;
  totals: ReturnType<typeof createDiagnostics>['totals'];
  taken: number;
}

function setUp(uploadCount = 0, { inlined = 0, poolReserve = 0 } = {}): World {
  const platform = testPlatform();
  const { totals } = createDiagnostics(platform.now, platform.after);
  const world: Omit<World, 'keys'> = { platform, totals, taken: 0 };
  const deps = {
    platform,
    totals,
    taken() {
      world.taken++;
    },
  };
  const make = (count: number) => Array.from({ length: count }, () => handMadeUpload());
  const keys = createBucketKeys(deps, { poolSize: 5, poolReserve, inlined: make(inlined) });
  keys.fresh(make(uploadCount), { wall: platform.now(), monotonic: platform.monotonic() }, []);
  return Object.assign(world, { keys });
}

/** A blob that has taken a key. */
function withKey({ keys }: World): TraceBlob & { claim: Claim } {
  const blob = handMadeBlob();
  assert.ok(keys.take(blob, 'normal'));
  return blob as TraceBlob & { claim: Claim };
}
const renew = ({ keys, platform }: World, claim: Claim): void => {
  const askedAt = { wall: platform.now(), monotonic: platform.monotonic() };
  keys.renewed(claim, { ...handMadeUpload({ key: claim.key, token: claim.token }), askedAt });
};

test('bucket keys: a blob keeps its key for life, and its URL until that expires', () => {
  const world = setUp(2);
  const { keys, platform } = world;
  const blob = withKey(world);
  const { claim } = blob;
  const upload = keys.take(blob, 'normal');
  assert.equal(upload?.key, claim.key);
  assert.equal(keys.size, 1);
  platform.jump(900_000);
  assert.equal(keys.take(blob, 'normal'), undefined);
  assert.equal(blob.claim, claim);
  renew(world, claim);
  assert.equal(keys.take(blob, 'normal')?.key, claim.key);
});

test('bucket keys: with nothing to take, that is counted', () => {
  const { keys, totals } = setUp();
  const blob = handMadeBlob();
  assert.equal(keys.take(blob, 'normal'), undefined);
  assert.equal(blob.claim, undefined);
  assert.equal(totals.pool.empty, 1);
});

test('bucket keys: an unused key that the endpoint does not know is taken from the blob, a used one is not', () => {
  const world = setUp(2);
  for (const [tries, keeps] of [
    [0, false],
    [1, true],
  ] as const) {
    const blob = withKey(world);
    blob.claim.tries = tries;
    const { claim } = blob;
    world.platform.jump(1_000_000);
    world.keys.renewed(claim, undefined);
    assert.equal(world.keys.isUnknown(claim), true);
    assert.equal(world.keys.heldBy(blob), undefined);
    assert.equal(blob.claim, keeps ? claim : undefined);
    world.platform.jump(-1_000_000);
  }
});

test('bucket keys: what the endpoint says of a claim is known, and nothing is before it says so', () => {
  const world = setUp(2);
  const [one, other] = [withKey(world), withKey(world)];
  assert.equal(world.keys.fateOf(one.claim), undefined);
  world.keys.confirmed(one.claim, true);
  world.keys.confirmed(other.claim, false);
  assert.deepEqual([world.keys.fateOf(one.claim), world.keys.fateOf(other.claim)], [true, false]);
});

test('bucket keys: a key that is given back is the next to be taken; the endpoint is asked only for a living page', () => {
  const world = setUp(3, { poolReserve: 1 });
  const { keys } = world;
  const claim = keys.reserve(10) as Claim;
  assert.equal(world.taken, 1);
  assert.deepEqual([keys.size, claim.tries], [2, 0]);
  keys.unreserve(claim);
  assert.equal(keys.size, 3);
  assert.equal(keys.take(handMadeBlob(), 'leaving')?.key, claim.key);
  assert.equal(world.taken, 1);
  assert.ok(keys.reserve(10));
  assert.equal(keys.reserve(10), undefined, 'the reserve is for a leaving page');
  assert.equal(keys.ready(handMadeBlob()), false);
});

test('bucket keys: those that came with the HTML may be others’ as well', () => {
  const world = setUp(1, { inlined: 1 });
  const shared = [withKey(world), withKey(world)].map(({ claim }) => world.keys.isShared(claim));
  assert.deepEqual(shared.sort(), [false, true]);
});

test('bucket keys: a refusal is answered by a renewal, a second one by patience, and neither counts as a try', () => {
  const world = setUp(1);
  const blob = withKey(world);
  for (let round = 0; round < 3; round++) {
    for (const expected of [
      { status: 'unready' },
      { status: 'retryable', delayMillis: 60_000, cause: 'refused twice' },
    ]) {
      renew(world, blob.claim);
      blob.claim.tries++;
      assert.deepEqual(world.keys.refused(blob, blob.claim), expected);
      assert.equal(blob.claim.tries, 0);
      assert.equal(world.keys.urlOf(blob.claim), undefined, 'the URL is used again');
    }
  }
});

/** Refuses a blob, after renewal, as often. @returns the last outcome. */
function refuse({ keys }: World, blob: TraceBlob & { claim: Claim }, times: number): string {
  let status = '';
  for (let count = 0; count < 2 * times; count++) status = keys.refused(blob, blob.claim).status;
  return status;
}

test('bucket keys: a blob that is refused five times while five others are stored is given up', () => {
  for (const [times, stored, expected] of [
    [5, 5, 'rejected'],
    [4, 5, 'retryable'],
    [5, 4, 'retryable'],
    [50, 0, 'retryable'],
  ] as const) {
    const world = setUp(1);
    world.totals.blobs.stored = 100;
    const blob = withKey(world);
    assert.equal(refuse(world, blob, 1), 'retryable');
    world.totals.blobs.stored += stored;
    assert.equal(refuse(world, blob, times - 1), expected, `${times} refusals, ${stored} stored`);
  }
});

test('bucket keys: what was stored before the first refusal tells nothing', () => {
  const world = setUp(1);
  world.totals.blobs.stored = 1_000;
  assert.equal(refuse(world, withKey(world), 20), 'retryable');
});

test('bucket keys: each blob is judged for itself', () => {
  const world = setUp(2);
  const [one, other] = [withKey(world), withKey(world)];
  refuse(world, one, 4);
  refuse(world, other, 1);
  world.totals.blobs.stored = 5;
  assert.equal(refuse(world, other, 1), 'retryable');
  assert.equal(refuse(world, one, 1), 'rejected');
});
