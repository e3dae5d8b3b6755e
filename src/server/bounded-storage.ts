import { DeadlineError, within } from './deadline.js';
import { type Storage, StorageError } from './storage.js';

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

/** The store as the endpoint uses it: what takes too long has failed. `presign` is left to who signs many at once. */
export function boundedStorage(storage: Storage): Storage {
  const methods: Omit<Storage, 'uploadLength'> = {
    ...(storage.presign ? { presign: (...args) => (storage as Required<Storage>).presign(...args) } : {}),
    put: (...args) => inStoreTime('put', async () => storage.put(...args)),
    head: (...args) => inStoreTime('head', async () => storage.head(...args)),
    list: (...args) => inStoreTime('list', async () => storage.list(...args)),
    get: (...args) => inStoreTime('get', async () => storage.get(...args)),
    delete: (...args) => storage.delete(...args),
  };
  return Object.defineProperty(methods, 'uploadLength', { get: () => storage.uploadLength });
}
