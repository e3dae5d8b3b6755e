import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handMadeUpload } from '../testing/blobs.js';
import { createUploadUrlPool, type UploadUrlPool } from './upload-url-pool.js';

const ANY = Number.POSITIVE_INFINITY;

function setUp(options: { size?: number; reserve?: number } = {}): {
  pool: UploadUrlPool;
  clock: { wall: number; monotonic: number };
  expired: () => number;
} {
  const clock = { wall: 1_000_000, monotonic: 0 };
  let expired = 0;
  const pool = createUploadUrlPool(
    {
      ...{ now: () => clock.wall, monotonic: () => clock.monotonic, expired: () => void expired++ },
      paddingOf: ({ bytes }, length) =>
        bytes === undefined ? 0 : bytes < length ? Number.NaN : bytes - length,
    },
    { size: 5, reserve: 2, ...options },
  );
  return { pool, clock, expired: () => expired };
}

test('upload URL pool: hands out the upload that expires soonest, once', () => {
  const { pool, clock } = setUp({ reserve: 0 });
  const lives = [300_000, 100_000, 200_000];
  pool.add(
    lives.map((expiresInMs) => handMadeUpload({ expiresInMs })),
    { ...clock },
  );
  assert.deepEqual(
    [1, 2, 3, 4].map(() => pool.take('normal', 700, ANY)?.expiresInMs),
    [100_000, 200_000, 300_000, undefined],
  );
});

test('upload URL pool: the reserve is for a leaving page', () => {
  const { pool, clock } = setUp();
  pool.add([handMadeUpload(), handMadeUpload(), handMadeUpload()], { ...clock });
  assert.ok(pool.take('normal', 700, ANY));
  assert.equal(pool.ready('normal', 700, ANY), false);
  assert.equal(pool.take('normal', 700, ANY), undefined);
  assert.ok(pool.take('leaving', 700, ANY));
  assert.ok(pool.take('leaving', 700, ANY));
  assert.equal(pool.take('leaving', 700, ANY), undefined);
});

test('upload URL pool: asks to be filled at the low-water mark, not above', () => {
  const { pool, clock } = setUp();
  assert.equal(pool.wanted, 5);
  const uploads = Array.from({ length: 4 }, () => handMadeUpload());
  pool.add(uploads, { ...clock });
  assert.equal(pool.wanted, 0);
  pool.take('normal', 700, ANY);
  assert.equal(pool.wanted, 2);
});

for (const [name, move] of [
  ['the wall clock', { wall: 891_000, monotonic: 0 }],
  ['the monotonic clock', { wall: 0, monotonic: 891_000 }],
  ['the wall clock, set back while the monotonic one ran', { wall: -5_000_000, monotonic: 891_000 }],
] as const) {
  test(`upload URL pool: ten seconds before the end by ${name}, an upload is gone and counted`, () => {
    const { pool, clock, expired } = setUp({ reserve: 0 });
    pool.add([handMadeUpload()], { ...clock });
    clock.wall += move.wall;
    clock.monotonic += move.monotonic;
    assert.equal(pool.take('leaving', 700, ANY), undefined);
    assert.equal(pool.size, 0);
    assert.equal(expired(), 1);
  });
}

test('upload URL pool: lifetimes count from the request, not from its answer', () => {
  const { pool, clock } = setUp({ reserve: 0 });
  const askedAt = { ...clock };
  clock.monotonic += 891_000;
  pool.add([handMadeUpload()], askedAt);
  assert.equal(pool.size, 0);
});

test('upload URL pool: of a life shorter than the margin, half is used', () => {
  const { pool, clock } = setUp({ reserve: 0 });
  pool.add([handMadeUpload({ expiresInMs: 8_000 })], { ...clock });
  clock.wall += 3_999;
  assert.equal(pool.ready('normal', 700, ANY), true);
  clock.wall += 1;
  assert.equal(pool.ready('normal', 700, ANY), false);
});

test('upload URL pool: an upload that was not used is the next to go, and counts again', () => {
  const { pool, clock } = setUp({ reserve: 0, size: 3 });
  pool.add([handMadeUpload(), handMadeUpload()], { ...clock });
  const taken = pool.take('normal', 700, ANY);
  assert.ok(taken);
  pool.putBack(taken);
  assert.equal(pool.size, 2);
  assert.equal(pool.take('normal', 700, ANY), taken);
});

test('upload URL pool: an upload that comes back too old is not handed out', () => {
  const { pool, clock, expired } = setUp({ reserve: 0 });
  pool.add([handMadeUpload()], { ...clock });
  const taken = pool.take('normal', 700, ANY);
  assert.ok(taken);
  clock.wall += 891_000;
  pool.putBack(taken);
  assert.equal(pool.take('leaving', 700, ANY), undefined);
  assert.equal(expired(), 1);
});

test('upload URL pool: hands out the one that needs least padding, and of these the one that expires soonest', () => {
  const { pool, clock } = setUp({ reserve: 0 });
  const make = (bytes: number, expiresInMs: number) => handMadeUpload({ bytes, expiresInMs });
  pool.add([make(4_096, 100_000), make(1_024, 300_000), make(1_024, 200_000), make(600, 50_000)], {
    ...clock,
  });
  const taken = [1, 2, 3, 4].map(() => pool.take('normal', 700, ANY));
  assert.deepEqual(
    taken.map((upload) => [upload?.bytes, upload?.expiresInMs]),
    [
      [1_024, 200_000],
      [1_024, 300_000],
      [4_096, 100_000],
      [undefined, undefined],
    ],
  );
  assert.deepEqual(pool.lengths, [600]);
});

test('upload URL pool: padding that is not worth it is not added', () => {
  const { pool, clock } = setUp({ reserve: 0 });
  pool.add([handMadeUpload({ bytes: 1_725 })], { ...clock });
  assert.equal(pool.ready('normal', 700, 1_024), false);
  assert.equal(pool.take('normal', 700, 1_024), undefined);
  assert.ok(pool.take('normal', 701, 1_024));
});

test('upload URL pool: what came back goes first to what it fits, though another needs less padding', () => {
  for (const mode of ['normal', 'leaving'] as const) {
    const { pool, clock } = setUp({ reserve: 0 });
    pool.add([handMadeUpload({ bytes: 1_024 }), handMadeUpload({ bytes: 4_096 })], { ...clock });
    const taken = pool.take('normal', 4_000, ANY);
    assert.ok(taken);
    pool.putBack(taken);
    assert.equal(pool.take(mode, 5_000, ANY), undefined);
    assert.equal(pool.take(mode, 700, 1_024), taken);
    assert.equal(pool.take(mode, 700, 1_024)?.bytes, 1_024);
  }
});

test('upload URL pool: what nothing fits makes room, the soonest to expire first', () => {
  const { pool, clock } = setUp({ size: 3 });
  for (let round = 0; round < 100; round++) {
    pool.add([handMadeUpload({ bytes: 64, expiresInMs: 900_000 + round })], { ...clock });
    assert.ok(pool.size <= 4);
  }
  assert.equal(pool.take('leaving', 64, ANY)?.expiresInMs, 900_096);
});
