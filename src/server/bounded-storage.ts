import { DeadlineError, within } from './deadline.js';
import { type Storage, StorageError } from './storage.js';

/** Clients wait for 30 s. `s3()` gives up earlier; a store of the operator's own may never. */
const STORE_MILLIS = 20_000;

/** The store as the endpoint uses it: what takes too long has failed. */
export function boundedStorage(storage: Storage): Storage {
  const bounded = async <T>(method: string, task: () => Promise<T>): Promise<T> => {
    try {
      return await within(STORE_MILLIS, method, task);
    } catch (cause) {
      if (!(cause instanceof DeadlineError)) throw cause;
      throw new StorageError(`the store did not answer ${method} in time`, { cause });
    }
  };
  const { presign } = storage;
  const methods: Omit<Storage, 'uploadLength'> = {
    ...(presign
      ? { presign: (...args) => bounded('presign', async () => presign.apply(storage, args)) }
      : {}),
    put: (...args) => bounded('put', async () => storage.put(...args)),
    head: (...args) => bounded('head', async () => storage.head(...args)),
    list: (...args) => bounded('list', async () => storage.list(...args)),
    get: (...args) => bounded('get', async () => storage.get(...args)),
    delete: (...args) => storage.delete(...args),
  };
  return Object.defineProperty(methods, 'uploadLength', { get: () => storage.uploadLength });
}
