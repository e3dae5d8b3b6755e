import type { QuarantineReason } from '../forward/batch.js';
import { inBatches } from '../forward/batches.js';
import { fetchObjects } from '../forward/fetch-objects.js';
import type { PatientStorage } from '../forward/patient-storage.js';
import type { StoredObject } from '../server/storage.js';
import { inspect } from '../wire/inspect.js';
import type { RequestJson } from '../wire/otlp-json.js';
import type { BucketSettings } from './compact-settings.js';

/** An object that is a request. */
export interface ReadObject {
  object: StoredObject;
  request: RequestJson;
  spanCount: number;
  inflatedBytes: number;
  storedBytes: number;
}

/** One that is not, is gone, or is not handed out. */
export interface NotRead {
  object: StoredObject;
  why: QuarantineReason | 'vanished' | 'unreadable';
  message: string;
  bytes?: Uint8Array<ArrayBuffer>;
}

const MAX_BATCH_OBJECTS = 1_000;

/** Reads objects, several at a time, and gives them in the order of keys. @throws {StorageError} */
export async function* readObjects(
  objects: readonly StoredObject[],
  storage: PatientStorage,
  settings: BucketSettings,
): AsyncGenerator<ReadObject | NotRead> {
  const { limits, gunzip, maxObjectBytes, maxBatchBytes } = settings;
  const tooLarge = (object: StoredObject): NotRead => ({
    ...{ object, why: 'too-large' },
    message: `larger than ${maxObjectBytes} bytes; it was left where it is`,
  });
  let rest = [...objects];
  while (rest.length > 0) {
    const postponed: StoredObject[] = [];
    for (const batch of inBatches(rest, { maxBatchObjects: MAX_BATCH_OBJECTS, maxBatchBytes })) {
      const small = batch.filter(({ size }) => !(size > maxObjectBytes));
      const fetched = await fetchObjects(storage, small, settings);
      postponed.push(...fetched.postponed);
      for (const object of batch) if (object.size > maxObjectBytes) yield tooLarge(object);
      for (const object of fetched.tooLarge) yield tooLarge(object);
      for (const object of fetched.vanished) yield { object, why: 'vanished', message: '' };
      for (const object of fetched.unreadable) yield { object, why: 'unreadable', message: '' };
      fetched.objects.sort((one, other) => (one.key < other.key ? -1 : 1));
      for (const { bytes, ...object } of fetched.objects) {
        const inspected = await inspect(bytes, limits, { asStored: false, gunzip, signal: 'traces' });
        if ('reason' in inspected) {
          yield { object, why: inspected.reason, message: inspected.message, bytes };
        } else {
          const { request, spanCount, inflatedBytes } = inspected;
          yield { object, request, spanCount, inflatedBytes, storedBytes: bytes.length };
        }
      }
    }
    rest = postponed;
  }
}
