import { DeadlineError, within } from './deadline.js';
import type { IngestStorage } from './ingest-options.js';
import { StorageError } from './storage.js';

/** Clients wait for 30 s. `s3()` gives up earlier; a store of the operator's own may never. */
const STORE_MILLIS = 20_000;

/** Runs what asks a store. @throws {StorageError} when it takes too long; else what `task` throws. */
export async function inStoreTime<T>(method: string, task: () => Promise<T>): Promise<T> {
  try {
    return await within(STORE_MILLIS, method, task);
  } catch (cause) {
    if (!(cause instanceof DeadlineError)) throw cause;
    throw new StorageError(`the store did not answer ${method} in time`, { cause });
  }
}

/** The store as the endpoint uses it: what takes too long has failed. Many are presigned at once: see there. */
export function boundedStorage(storage: IngestStorage): IngestStorage {
  const methods: Omit<IngestStorage, 'uploadLength'> = {
    ...(storage.presign
      ? { presign: (...args) => (storage as Required<IngestStorage>).presign(...args) }
      : {}),
    put: (...args) => inStoreTime('put', async () => storage.put(...args)),
    head: (...args) => inStoreTime('head', async () => storage.head(...args)),
    list: (...args) => storage.list(...args),
    get: (...args) => storage.get(...args),
    delete: (...args) => storage.delete(...args),
  };
  return Object.defineProperty(methods, 'uploadLength', { get: () => storage.uploadLength });
}
