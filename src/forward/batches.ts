import type { StoredObject } from '../server/storage.js';

export interface BatchLimits {
  maxBatchObjects: number;
  maxBatchBytes: number;
}

/** Cuts objects into batches, in their order. One that is alone over the limit is a batch of its own. */
export function* inBatches(
  objects: readonly StoredObject[],
  { maxBatchObjects, maxBatchBytes }: BatchLimits,
): Generator<StoredObject[]> {
  let batch: StoredObject[] = [];
  let byteCount = 0;
  for (const object of objects) {
    const size = object.size || 0;
    const isFull = batch.length >= maxBatchObjects || byteCount + size > maxBatchBytes;
    if (batch.length > 0 && isFull) {
      yield batch;
      batch = [];
      byteCount = 0;
    }
    batch.push(object);
    byteCount += size;
  }
  if (batch.length > 0) yield batch;
}
