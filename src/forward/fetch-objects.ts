import type { StoredObject } from '../server/storage.js';
import { inLanes } from '../wire/lanes.js';
import type { FetchedObject } from './batch.js';
import { isPassing, type PatientStorage, troubleOf } from './patient-storage.js';

/** What reading several objects gave. Every one is in one of these. */
export interface Fetched {
  objects: (StoredObject & FetchedObject)[];
  /** Gone meanwhile. */
  vanished: StoredObject[];
  /** Larger than it may be, whatever the listing says. */
  tooLarge: StoredObject[];
  /** The store does not hand it out: its key has what no URL can hold, or the store refuses this one. */
  unreadable: StoredObject[];
  /** Not asked for, since the others were larger than listed; or the store had a passing trouble with it. */
  postponed: Listed[];
}

/** An object that is to be read. */
export interface Listed extends StoredObject {
  /** The store had a passing trouble with it: now it is waited for. */
  hasFailed?: true;
}

export interface FetchLimits {
  concurrency: number;
  maxObjectBytes: number;
  maxBatchBytes: number;
}

/**
 * Reads objects, several at a time, and begins no more once what was read is over the limit.
 *
 * Single reads that fail in passing hold nobody up: these objects come again with the next. Where many fail, and for
 * those that come again, it waits. @throws {StorageError}
 */
export async function fetchObjects(
  storage: PatientStorage,
  listed: readonly Listed[],
  { concurrency, maxObjectBytes, maxBatchBytes }: FetchLimits,
): Promise<Fetched> {
  const fetched: Fetched = { objects: [], vanished: [], tooLarge: [], unreadable: [], postponed: [] };
  let byteCount = 0;
  let failures = 0;
  await inLanes(listed, concurrency, async (object) => {
    if (byteCount > maxBatchBytes) return void fetched.postponed.push(object);
    const isPatient = object.hasFailed === true || failures >= concurrency;
    try {
      const get = isPatient ? storage.get : storage.tryGet;
      const bytes = await get(object.key, { maxBytes: maxObjectBytes });
      if (!bytes) return void fetched.vanished.push(object);
      byteCount += bytes.byteLength;
      fetched.objects.push({ ...object, bytes });
    } catch (error) {
      const { tooLarge, ofKey } = troubleOf(error);
      if (tooLarge) fetched.tooLarge.push(object);
      else if (ofKey) fetched.unreadable.push(object);
      else if (isPatient || !isPassing(error)) throw error;
      else {
        failures += 1;
        fetched.postponed.push({ ...object, hasFailed: true });
      }
    }
  });
  return fetched;
}
