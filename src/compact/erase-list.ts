import type { PatientStorage } from '../forward/patient-storage.js';
import { inLanes } from '../wire/lanes.js';
import type { BucketSettings } from './compact-settings.js';
import { digestOf } from './period.js';

/** Traces that an erasure has found, kept in the bucket until all are gone. */
export interface EraseList {
  /** Those of earlier tries that did not come to their end. @throws {StorageError} */
  read(): Promise<string[]>;
  /** @throws {StorageError} */
  write(traces: Iterable<string>): Promise<void>;
  /** @throws {StorageError} */
  remove(): Promise<void>;
}

const MAX_LIST_BYTES = 67_108_864;

/**
 * `{statePrefix}/erase/{hash of what is to go}/{hash}.json`: what tells that a trace is of a session may be erased first,
 * and the rest of the trace would not be found again.
 */
export async function createEraseList(
  storage: PatientStorage,
  { statePrefix, concurrency }: BucketSettings,
  wanted: unknown,
): Promise<EraseList> {
  const hashOf = async (value: unknown): Promise<string> =>
    Array.from((await digestOf(value)).subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join(
      '',
    );
  const prefix = `${statePrefix}/erase/${await hashOf(wanted)}/`;
  const list = async (): Promise<string[]> => (await storage.list(prefix)).objects.map(({ key }) => key);
  return {
    async read() {
      const traces: string[] = [];
      for (const key of await list()) {
        const bytes = await storage.get(key, { maxBytes: MAX_LIST_BYTES });
        const found: unknown = bytes ? JSON.parse(new TextDecoder().decode(bytes)) : [];
        if (Array.isArray(found)) for (const id of found) traces.push(String(id));
      }
      return traces;
    },
    async write(traces) {
      const sorted = [...traces].sort();
      if (sorted.length === 0) return;
      const bytes = new TextEncoder().encode(JSON.stringify(sorted));
      await storage.put(`${prefix}${await hashOf(sorted)}.json`, bytes, { contentType: 'application/json' });
    },
    async remove() {
      await inLanes(await list(), concurrency, (key) => storage.delete(key));
    },
  };
}
