/**
 * The outbox where nothing lasts: in memory, for runtimes without a database. What one pipeline could not send, the
 * next of the same process finds in `kept`: bytes and words only, since runtimes let no request use another's promises.
 */
import { sumOf } from '../json.js';
import type { TraceBlob } from './model.js';
import { createOutbox, type OutboxLimits } from './outbox.js';
import type { OutboxOpener } from './outbox-open.js';
import type { WriteQueue } from './outbox-queue.js';

/** What is handed from one pipeline to the next, by the destination's id; what was left last is last. */
export type Kept = Map<string, KeptHere>;

interface KeptHere {
  blobs: readonly TraceBlob[];
  /** What the destination remembers, by name: of each pipeline that left something. */
  owed: readonly (readonly [string, unknown])[];
}

export const nothingKept = (): Kept => new Map();

/** Receipts are hints: beyond this many the oldest go. */
const MAX_OWED = 200;

function isWithin({ maxBlobs, maxBytes }: OutboxLimits, kept: Kept): boolean {
  const all = [...kept.values()].flatMap(({ blobs }) => blobs);
  return all.length <= maxBlobs && sumOf(all, ({ bytes }) => bytes.length) <= maxBytes;
}

/** For the next pipeline: a request of this one that cannot be given up may change what it has. */
const copyOf = (blob: TraceBlob): TraceBlob => ({
  ...blob,
  ...(blob.claim && { claim: { ...blob.claim } }),
  // Whatever was under way has no answer any more.
  unconfirmed: blob.unconfirmed === true || (blob.claim?.tries ?? 0) > 0,
});

/** @param kept what an earlier pipeline left, and where what this one leaves goes. Without it, it is lost, and counted. */
export const openMemoryOutbox =
  (kept?: Kept): OutboxOpener =>
  (deps, limits) => {
    const { destinationId } = deps;
    const owed = new Map<string, unknown>();
    // What will be kept is as good as in a database: nothing is given up that waits.
    const queue: WriteQueue = {
      change: (_key, _value, done) => kept && done?.(true),
      putIfPresent: async () => true,
      flush() {},
      settled: async () => {},
      undeleted: () => [],
    };
    const outbox = createOutbox(
      {
        ...{ now: deps.platform.now, dropped: deps.dropped, handedOver: deps.handedOver },
        ...{ isTaken: async () => false, queue, prefix: [] },
      },
      limits,
    );
    const nothing = (): void => {};
    const take = (): KeptHere => {
      const here = kept?.get(destinationId);
      kept?.delete(destinationId);
      return here ?? { blobs: [], owed: [] };
    };
    const remember = (name: string, value: unknown): void => {
      // What was said last is last.
      owed.delete(name);
      if (value !== undefined) owed.set(name, value);
    };
    const adopt = (blobs: readonly TraceBlob[]): void => {
      for (const blob of blobs) {
        outbox.adopt(blob);
        deps.guard(() => deps.adoptedBlob(blob));
      }
    };

    let closed = false;
    // Once the pipeline is whole, and before anything else happens.
    if (kept?.has(destinationId)) {
      queueMicrotask(() =>
        deps.guard(() => {
          if (closed) return;
          const { blobs, owed: theirs } = take();
          for (const [name, value] of theirs) deps.guard(() => deps.owed(name, value));
          adopt(blobs);
        }),
      );
    }

    return {
      outbox,
      isDurable: false,
      checkpoint: undefined,
      page: deps.newId(),
      remember(name, value) {
        if (!closed) remember(name, value);
      },
      save: nothing,
      unload: nothing,
      leave: nothing,
      back: async () => {},
      async close() {
        if (closed) return;
        closed = true;
        if (!kept) return;
        // Another pipeline may have left something meanwhile: it goes on together with ours.
        const here = take();
        adopt(here.blobs);
        const blobs = outbox.list().map(copyOf);
        outbox.reconcile(() => true);
        const words = [...here.owed, ...owed].slice(-MAX_OWED);
        if (blobs.length || words.length) kept.set(destinationId, { blobs, owed: words });
        // The limits are those of all destinations together: a user may choose one for each tenant.
        for (const [id, { blobs: theirs }] of kept) {
          if (isWithin(limits, kept)) break;
          kept.delete(id);
          for (const blob of theirs) {
            deps.guard(() => deps.adoptedBlob(blob));
            deps.dropped('outbox-full', blob.spanCount);
          }
        }
      },
    };
  };
