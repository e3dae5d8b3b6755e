import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handMadeBlob } from '../testing/blobs.js';
import { createOutbox, type Outbox } from './outbox.js';
import { createWriteQueue } from './outbox-queue.js';

const NOW = 1_790_000_000_000;

function setUp(limits: { maxBlobs?: number; maxBytes?: number; maxAgeMillis?: number } = {}): {
  outbox: Outbox;
  dropped: Record<string, number>;
} {
  const dropped: Record<string, number> = {};
  const ready = Promise.resolve();
  const queue = createWriteQueue({ store: undefined, ready, after: () => () => {}, failed() {} });
  const outbox = createOutbox(
    {
      now: () => NOW,
      queue,
      prefix: ['lane', 'page'],
      handedOver() {},
      isTaken: async () => false,
      dropped: (reason: string, spans: number) => {
        dropped[reason] = (dropped[reason] ?? 0) + spans;
      },
    },
    { maxBlobs: 10, maxBytes: 1_000, maxAgeMillis: 60_000, ...limits },
  );
  return { outbox, dropped };
}

test('outbox: lists blobs oldest first, and counts spans and bytes until they are deleted', async () => {
  const { outbox } = setUp();
  const blobs = [handMadeBlob({ spanCount: 3 }), handMadeBlob({ spanCount: 4 })];
  for (const blob of blobs) await outbox.add(blob);
  assert.deepEqual(outbox.list(), blobs);
  assert.deepEqual([outbox.spanCount, outbox.byteCount], [7, 20]);
  for (const blob of blobs) {
    await outbox.delete(blob);
    await outbox.delete(blob);
  }
  assert.deepEqual([outbox.spanCount, outbox.byteCount, outbox.list().length], [0, 0, 0]);
});

test('outbox: over the blob limit the oldest without errors goes first, counted', () => {
  const { outbox, dropped } = setUp({ maxBlobs: 2 });
  const failing = handMadeBlob({ error: true });
  const [older, newer] = [handMadeBlob({ spanCount: 5 }), handMadeBlob()];
  for (const blob of [failing, older, newer]) void outbox.add(blob);
  assert.deepEqual(outbox.list(), [failing, newer]);
  assert.deepEqual(dropped, { 'outbox-full': 5 });
  assert.equal(outbox.has(older), false);
});

test('outbox: over the byte limit as many go as must', () => {
  const { outbox, dropped } = setUp({ maxBytes: 100 });
  for (let count = 0; count < 4; count++) void outbox.add(handMadeBlob({ bytes: new Uint8Array(30) }));
  assert.equal(outbox.byteCount, 90);
  assert.deepEqual(dropped, { 'outbox-full': 1 });
});

test('outbox: errors go too when nothing else is left', () => {
  const { outbox, dropped } = setUp({ maxBlobs: 1 });
  for (let count = 0; count < 3; count++) void outbox.add(handMadeBlob({ error: true }));
  assert.equal(outbox.list().length, 1);
  assert.deepEqual(dropped, { 'outbox-full': 2 });
});

test('outbox: what is too old is dropped when asked for, counted once, and not by looking', () => {
  const { outbox, dropped } = setUp();
  const old = handMadeBlob({ sealedAtMillis: NOW - 60_001, spanCount: 2 });
  const fresh = handMadeBlob({ sealedAtMillis: NOW - 60_000 });
  void outbox.add(old);
  void outbox.add(fresh);
  assert.deepEqual(outbox.list(), [old, fresh]);
  outbox.expire();
  outbox.expire();
  assert.deepEqual(outbox.list(), [fresh]);
  assert.deepEqual(dropped, { 'too-old': 2 });
  assert.equal(outbox.spanCount, 1);
});
