/**
 * The outbox where nothing lasts: in memory, for invocations at the edge. What one could not send, the next of the same
 * isolate finds in {@link Kept}: bytes and words only, since runtimes let no request use another's promises.
 */
import { sumOf } from '../../json.js';
import { uuidv7 } from '../../platform/uuid.js';
import type { DeliverHost } from '../pipeline/deliver.js';
import type { EncodedSpan } from '../pipeline/encode.js';
import { type DropReason, newBlob, type Part, type TraceBlob } from '../pipeline/model.js';
import { addSpan } from '../pipeline/pack.js';
import type { OutboxLimits } from './outbox.js';

/** What is handed from one outbox to the next, by the destination's id; what was left last is last. */
export type Kept = Map<string, KeptHere>;

interface KeptHere {
  blobs: readonly TraceBlob[];
  /** Receipts of which the server has not been told, by blob id. */
  owed: readonly (readonly [string, unknown])[];
}

export const nothingKept = (): Kept => new Map();

export interface MemoryOutboxDeps {
  /** Epoch milliseconds, by the server's clock where that is known. */
  now(): number;
  randomBytes(count: number): Uint8Array;
  page: string;
  adopted(spanCount: number): void;
  dropped(reason: DropReason, spanCount: number): void;
  handedOver(spanCount: number): void;
}

export interface MemoryOutbox extends Omit<DeliverHost['outbox'], 'blobs'> {
  readonly blobs: Map<string, TraceBlob>;
  /** Begins a blob. */
  open(): TraceBlob;
  /** Puts a span into a blob of {@link open}. */
  add(blob: TraceBlob, span: EncodedSpan): void;
  /** Takes what an earlier one left. `tell` takes the receipts among it, and calls back when the server was told. */
  take(kept: Kept, id: string, tell: ((receipt: unknown, told: () => void) => void) | undefined): void;
  /** Leaves all of it for the next one; every blob is packed. */
  leave(kept: Kept, id: string): void;
}

/** Receipts are hints: beyond this many the oldest go. */
const MAX_OWED = 200;

export function createMemoryOutbox(deps: MemoryOutboxDeps, limits: OutboxLimits): MemoryOutbox {
  const blobs = new Map<string, TraceBlob>();
  const owed = new Map<string, unknown>();

  const adopt = (found: readonly TraceBlob[]): void => {
    for (const blob of found) {
      blobs.set(blob.id, blob);
      deps.adopted(blob.spanCount);
    }
  };

  const self: MemoryOutbox = {
    blobs,
    open() {
      const blob = newBlob(uuidv7(deps.now(), deps.randomBytes(10)), deps.page);
      blob.parts = [{ texts: [], traces: [] }];
      blobs.set(blob.id, blob);
      return blob;
    },
    add: (blob, span) => addSpan(blob, blob.parts[0] as Part, span),
    async save() {},
    changed() {},
    remove(blob, reason, receipt) {
      blobs.delete(blob.id);
      if (receipt) owed.set(blob.id, receipt);
      else owed.delete(blob.id);
      if (reason) deps.dropped(reason, blob.spanCount);
    },
    trim(spared) {
      const oldest = deps.now() - limits.maxAgeMillis;
      for (const blob of inOrder(blobs.values())) {
        if (spared.has(blob)) continue;
        if (blob.bornAtMillis < oldest) self.remove(blob, 'too-old');
        else if (!isWithin(limits, blobs.values())) self.remove(blob, 'outbox-full');
      }
    },
    take(kept, id, tell) {
      const here = kept.get(id);
      kept.delete(id);
      adopt(here?.blobs ?? []);
      for (const [blobId, receipt] of here?.owed ?? []) {
        owed.set(blobId, receipt);
        tell?.(receipt, () => owed.delete(blobId));
      }
    },
    leave(kept, id) {
      // Another one may have left something meanwhile: it goes on together with ours.
      self.take(kept, id, undefined);
      self.trim(new Set());
      for (const { spanCount } of blobs.values()) deps.handedOver(spanCount);
      const words = [...owed].slice(-MAX_OWED);
      if (blobs.size || words.length) kept.set(id, { blobs: [...blobs.values()].map(copyOf), owed: words });
      blobs.clear();
      // The limits are those of all destinations together: a user may choose one for each tenant.
      for (const [other, { blobs: theirs }] of kept) {
        if (
          isWithin(
            limits,
            [...kept.values()].flatMap((one) => one.blobs),
          )
        )
          break;
        kept.delete(other);
        const count = sumOf(theirs, ({ spanCount }) => spanCount);
        deps.adopted(count);
        deps.dropped('outbox-full', count);
      }
    },
  };
  return self;
}

/** What goes first where there is no room: the oldest, those with errors last. */
const inOrder = (blobs: Iterable<TraceBlob>): TraceBlob[] =>
  [...blobs].sort((a, b) => Number(a.error) - Number(b.error) || a.bornAtMillis - b.bornAtMillis);

function isWithin({ maxBlobs, maxBytes }: OutboxLimits, blobs: Iterable<TraceBlob>): boolean {
  const all = [...blobs];
  return all.length <= maxBlobs && sumOf(all, ({ bytes }) => bytes?.length ?? 0) <= maxBytes;
}

/** For the next one: a request of this one that cannot be given up may change what it has. */
const copyOf = (blob: TraceBlob): TraceBlob => ({
  ...blob,
  ...{ isAdopted: true, state: 'packed', parts: [] },
  // Whatever was under way has no answer any more, and may be sent again at once.
  again: true,
  upload: blob.upload && { ...blob.upload, endsAtMillis: 0 },
});
