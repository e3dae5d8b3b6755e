/** Records in IndexedDB: one database of this origin, one object store, keys that are arrays of strings. */
import { promisifyRequest } from 'idb-keyval';
import type { Platform, Store, StoreKey } from './platform.js';

const DATABASE = 'spandrel-1';
const RECORDS = 'outbox';
/** Opening takes tens of milliseconds. WebKit has had opens that never ended. */
const OPEN_MILLIS = 5_000;

/** `prefix` and what is below it: arrays sort after strings, so that an empty one ends the range. */
const below = (prefix: StoreKey): IDBKeyRange => IDBKeyRange.bound(prefix, [...prefix, []]);

/**
 * Deletes the database, at the latest when all pages that use it have let go of it.
 *
 * @throws what the database says, if all that was in it may still be there.
 */
export async function deleteIdb(after: Platform['after']): Promise<void> {
  // What a frozen page keeps from being deleted is emptied.
  const store = createIdbStore(after);
  const failure = await store.write({ deletes: [[]] }).then(
    () => undefined,
    (error) => ({ error }),
  );
  store.close();
  const isDeleted = await new Promise<boolean>((resolve) => {
    const request = indexedDB.deleteDatabase(DATABASE);
    request.onsuccess = () => resolve(true);
    request.onerror = request.onblocked = () => resolve(false);
  });
  if (failure && !isDeleted) throw failure.error;
}

/**
 * Opens the database. A connection that another page wants closed, that the browser closed or that was never made,
 * is made at the next use. `close` lets the writes before it be made.
 *
 * @param after sets the deadline of an opening.
 */
export function createIdbStore(after: Platform['after']): Store {
  let connection: Promise<IDBDatabase> | undefined;
  let closed = false;
  const lose = (): void => {
    connection = undefined;
  };

  const open = (): Promise<IDBDatabase> =>
    new Promise((resolve, reject) => {
      if (closed) throw new DOMException('closed', 'InvalidStateError');
      let isLate = false;
      const stopTimer = after(OPEN_MILLIS, () => {
        isLate = true;
        reject(new Error('IndexedDB does not open'));
      });
      const request = indexedDB.open(DATABASE);
      request.onupgradeneeded = () => request.result.createObjectStore(RECORDS);
      promisifyRequest(request)
        .then((db) => {
          // Else who deletes the database waits for as long as this page lives.
          db.onversionchange = () => db.close();
          if (isLate) db.close();
          resolve(db);
        })
        .catch(reject)
        .finally(stopTimer);
    });
  const connect = (): Promise<IDBDatabase> => {
    if (!connection) {
      connection = open();
      connection.catch(lose);
    }
    return connection;
  };
  void connect();

  /** In the microtask that begins its transaction; transactions are begun in the order of the calls. */
  const recordsFor = async (mode: IDBTransactionMode): Promise<IDBObjectStore> => {
    const begin = (db: IDBDatabase): IDBObjectStore => db.transaction(RECORDS, mode).objectStore(RECORDS);
    const first = connect();
    const db = await first;
    try {
      return begin(db);
    } catch {
      // Closed: by us for another page, or by the browser, which does not always say so.
      if (connection === first) lose();
      return begin(await connect());
    }
  };

  return {
    async write({ puts = [], deletes = [] }) {
      const records = await recordsFor('readwrite');
      const { transaction } = records;
      const done = new Promise<unknown>((resolve, reject) => {
        transaction.oncomplete = () => resolve(true);
        // Not onerror, where the transaction does not know its error yet.
        transaction.onabort = () => reject(transaction.error ?? new Error('aborted'));
      });
      try {
        for (const prefix of deletes) records.delete(below(prefix));
        for (const [key, value] of puts) records.put(value, key as string[]);
        transaction.commit?.();
      } catch (error) {
        done.catch(() => {});
        transaction.abort();
        throw error;
      }
      return done;
    },
    async keys(prefix) {
      const records = await recordsFor('readonly');
      return promisifyRequest(records.getAllKeys(below(prefix)) as IDBRequest<string[][]>);
    },
    async read(prefix) {
      const records = await recordsFor('readonly');
      const range = below(prefix);
      const [keys, values] = await Promise.all([
        promisifyRequest(records.getAllKeys(range) as IDBRequest<string[][]>),
        promisifyRequest(records.getAll(range)),
      ]);
      return keys.map((key, index) => [key, values[index]]);
    },
    close() {
      closed = true;
      connection?.then(
        (db) => db.close(),
        () => {},
      );
      lose();
    },
  };
}
