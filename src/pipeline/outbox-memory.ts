/**
 * The outbox where nothing lasts: in memory, for runtimes without a database. What one pipeline could not send, the
 * next of the same process finds in `kept`: bytes and words only, since runtimes let no request use another's promises.
 */
import type { TraceBlob } from './model.js';
import { createOutbox } from './outbox.js';
import type { OutboxOpener } from './outbox-open.js';
import type { WriteQueue } from './outbox-queue.js';

/** What is handed from one pipeline to the next. */
export interface Kept {
  /** By the destination's id. */
  readonly blobs: Map<string, TraceBlob[]>;
  /** What destinations remember, by their id and the name. */
  readonly owed: Map<string, Map<string, unknown>>;
}

export const nothingKept = (): Kept => ({ blobs: new Map(), owed: new Map() });

/** @param kept what an earlier pipeline left, and where what this one leaves goes. Without it, it is lost, and counted. */
export const openMemoryOutbox =
  (kept?: Kept): OutboxOpener =>
  (deps, limits) => {
    const { destinationId } = deps;
    const { blobs: keptBlobs, owed: keptOwed } = kept ?? nothingKept();
    // What will be kept is as good as in a database: nothing is given up that waits.
    const queue: WriteQueue = {
      change: (_key, _value, done) => kept && done?.(true),
      putIfPresent: async () => true,
      flush() {},
      settled: async () => {},
    };
    const outbox = createOutbox(
      {
        ...{ now: deps.platform.now, dropped: deps.dropped, handedOver: deps.handedOver },
        ...{ isTaken: async () => false, queue, prefix: [] },
      },
      limits,
    );
    const nothing = (): void => {};

    const adopt = (): void => {
      for (const [name, value] of keptOwed.get(destinationId) ?? []) {
        deps.guard(() => deps.owed(name, value));
      }
      const blobs = keptBlobs.get(destinationId) ?? [];
      keptBlobs.delete(destinationId);
      for (const blob of blobs) {
        outbox.adopt(blob);
        deps.guard(() => deps.adoptedBlob(blob));
      }
    };
    // Once the pipeline is whole, and before anything else happens.
    if (keptBlobs.size || keptOwed.size) queueMicrotask(adopt);

    return {
      outbox,
      isDurable: false,
      checkpoint: undefined,
      page: deps.newId(),
      remember(name, value) {
        const owed = keptOwed.get(destinationId) ?? new Map<string, unknown>();
        if (value === undefined) owed.delete(name);
        else owed.set(name, value);
        if (owed.size) keptOwed.set(destinationId, owed);
        else keptOwed.delete(destinationId);
      },
      save: nothing,
      unload: nothing,
      leave: nothing,
      back: async () => {},
      async close() {
        const blobs = keptBlobs.get(destinationId) ?? [];
        let byteCount = blobs.reduce((sum, { bytes }) => sum + bytes.length, 0);
        for (const blob of outbox.list()) {
          byteCount += blob.bytes.length;
          if (blobs.length >= limits.maxBlobs || byteCount > limits.maxBytes) break;
          blobs.push(blob);
          outbox.reconcile(({ id }) => id === blob.id);
        }
        if (blobs.length) keptBlobs.set(destinationId, blobs);
        for (const blob of outbox.list()) {
          outbox.delete(blob);
          deps.dropped('outbox-full', blob.spanCount);
        }
      },
    };
  };
