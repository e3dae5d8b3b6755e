import type { StoredObject } from '../server/storage.js';
import { type CompactedId, compactedIdOf, type Period } from './period.js';

/** One object of a period. */
export interface Candidate extends StoredObject {
  /** Absent: it was not made by `compact`. */
  compacted?: CompactedId;
}

export function candidateOf(object: StoredObject, period: Period): Candidate {
  const compacted = compactedIdOf(object.key, period);
  return compacted ? { ...object, compacted } : object;
}

/** A compacted object is written again with others when it is no larger than so many times these. */
const GROWTH = 8;
/** A compacted object that is larger is full. Bytes. */
const FULL_BYTES = 1_048_576;
/** What was compacted may become one where nothing else is there, as long as that surely fits. Bytes. */
const SMALL_BYTES = 524_288;

export interface ChooseOptions {
  /** The stage that compacted objects are to have; see `retention.ts`. */
  stage: number;
  /** Also one that is alone is written anew, since it is changed on the way. */
  isChanged: boolean;
}

/**
 * Which objects of a period are to become one, in the order of keys: all that are as they were stored, and of the
 * compacted those whose turn it is. Pages send for days what they have kept, and a large object is not to be written
 * again for each small one that comes late.
 */
export function chooseObjects(
  objects: readonly Candidate[],
  { stage, isChanged }: ChooseOptions,
): Candidate[] {
  const isFirst = ({ compacted }: Candidate): boolean => !compacted || compacted.stage < stage;
  const chosen = objects.filter(isFirst);
  const isDue = chosen.some(({ compacted }) => compacted) || ((isChanged || stage > 0) && chosen.length > 0);
  const hasRaw = chosen.length > 0;
  let byteCount = chosen.reduce((sum, { size }) => sum + size, 0);
  const rest = objects
    .filter((object) => !isFirst(object) && object.size <= FULL_BYTES)
    .sort((one, other) => one.size - other.size || (one.key < other.key ? -1 : 1));
  for (const object of rest) {
    const most = hasRaw ? GROWTH * byteCount : SMALL_BYTES - byteCount;
    if (object.size > most) break;
    chosen.push(object);
    byteCount += object.size;
  }
  if (chosen.length < 2 && !isDue) return [];
  return chosen.sort((one, other) => (one.key < other.key ? -1 : 1));
}
