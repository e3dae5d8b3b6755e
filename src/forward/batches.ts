import type { StoredObject } from '../server/storage.js';

export interface BatchLimits {
  maxBatchObjects: number;
  maxBatchBytes: number;
}

/** Cuts objects into batches, in their order. */
export const inBatches = (
  objects: readonly StoredObject[],
  { maxBatchObjects, maxBatchBytes }: BatchLimits,
): Generator<StoredObject[]> =>
  packed(objects, ({ size }) => [1, size || 0], [maxBatchObjects, maxBatchBytes]);

/** Cuts items into groups below two limits. One that is alone over a limit is a group of its own. */
export function* packed<T>(
  items: Iterable<T>,
  weigh: (item: T) => readonly [count: number, bytes: number],
  [maxCount, maxBytes]: readonly [count: number, bytes: number],
): Generator<T[]> {
  let group: T[] = [];
  let sum = { count: 0, bytes: 0 };
  for (const item of items) {
    const [count, bytes] = weigh(item);
    if (group.length > 0 && (sum.count + count > maxCount || sum.bytes + bytes > maxBytes)) {
      yield group;
      group = [];
      sum = { count: 0, bytes: 0 };
    }
    group.push(item);
    sum.count += count;
    sum.bytes += bytes;
  }
  if (group.length > 0) yield group;
}
