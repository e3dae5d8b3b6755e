/**
 * What one invocation leaves for the next of the same isolate: bytes and words only, since runtimes let no request use
 * another's promises.
 */
import { sumOf } from '../json.js';
import type { TraceBlob } from '../pipeline/model.js';

/** By the destination's id; what was left last is last. */
export type Kept = Map<string, KeptHere>;

interface KeptHere {
  blobs: readonly TraceBlob[];
  /** Receipts of which the server has not been told, by blob id. */
  owed: readonly (readonly [string, unknown])[];
}

export const nothingKept = (): Kept => new Map();

/** An isolate lives on little memory, which it shares with the handler. */
const MAX_BLOBS = 100;
const MAX_BYTES = 4 * 1024 * 1024;
/** Receipts are hints: beyond this many the oldest go. */
const MAX_OWED = 200;

export function isRoomFor(blobs: Iterable<TraceBlob>): boolean {
  const all = [...blobs];
  return all.length <= MAX_BLOBS && sumOf(all, ({ bytes, chars }) => bytes?.length ?? chars) <= MAX_BYTES;
}

/** Leaves these for the next one that sends to the same place. */
export function leaveFor(
  kept: Kept,
  id: string,
  blobs: Iterable<TraceBlob>,
  receipts: ReadonlyMap<string, unknown>,
): void {
  const here: KeptHere = { blobs: [...blobs].map(copyOf), owed: [...receipts].slice(-MAX_OWED) };
  if (here.blobs.length || here.owed.length) kept.set(id, here);
}

/**
 * The limits are those of all destinations together, as a user may choose one for each tenant: beyond them the places that
 * were left something first lose all of it.
 *
 * @returns what was lost.
 */
export function relieve(kept: Kept): TraceBlob[] {
  const lost: TraceBlob[] = [];
  for (const [id, { blobs }] of kept) {
    if (isRoomFor([...kept.values()].flatMap((here) => here.blobs))) break;
    kept.delete(id);
    lost.push(...blobs);
  }
  return lost;
}

/** A request of this one that cannot be given up may change what it has. */
const copyOf = (blob: TraceBlob): TraceBlob => ({
  ...blob,
  isAdopted: true,
  // Whatever was under way has no answer any more, and may be sent again at once.
  again: true,
  upload: blob.upload && { ...blob.upload, endsAtMillis: 0 },
});
