import { isStorageError, type StoredObject } from '../server/storage.js';
import type { FetchedObject } from './batch.js';
import { inLanes } from './lanes.js';
import type { ForwardStorage } from './patient-storage.js';

/** What reading several objects gave. Every one is in one of these. */
export interface Fetched {
  objects: (StoredObject & FetchedObject)[];
  /** Gone meanwhile. */
  vanished: StoredObject[];
  /** Larger than it may be, whatever the listing says. */
  tooLarge: StoredObject[];
  /** The store does not hand it out: its key has what no URL can hold, or the store refuses this one. */
  unreadable: StoredObject[];
  /** Not asked for, since the others were larger than listed. */
  postponed: StoredObject[];
}

export interface FetchLimits {
  concurrency: number;
  maxObjectBytes: number;
  maxBatchBytes: number;
}

/** A store that answers one of these to one key may answer better to others. */
const OF_THIS_KEY = new Set([400, 405, 410, 414, 416]);

/** Reads objects, several at a time, and begins no more once what was read is over the limit. @throws what the store does. */
export async function fetchObjects(
  storage: ForwardStorage,
  listed: readonly StoredObject[],
  { concurrency, maxObjectBytes, maxBatchBytes }: FetchLimits,
): Promise<Fetched> {
  const fetched: Fetched = { objects: [], vanished: [], tooLarge: [], unreadable: [], postponed: [] };
  let byteCount = 0;
  await inLanes(listed, concurrency, async (object) => {
    if (byteCount > maxBatchBytes) return void fetched.postponed.push(object);
    try {
      const bytes = await storage.get(object.key, { maxBytes: maxObjectBytes });
      if (!bytes) return void fetched.vanished.push(object);
      byteCount += bytes.byteLength;
      fetched.objects.push({ ...object, bytes });
    } catch (error) {
      if (!isStorageError(error)) throw error;
      if (error.tooLarge) fetched.tooLarge.push(object);
      else if (OF_THIS_KEY.has(error.httpStatus ?? 0)) fetched.unreadable.push(object);
      else throw error;
    }
  });
  return fetched;
}
