/** Records in IndexedDB: one database of this origin, one object store, keys that are arrays of strings. */
import { createStore, promisifyRequest } from 'idb-keyval';
import type { Platform, Store, StoreKey } from './platform.js';

/** The number is that of the records' format: pages with another one use another database. */
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
  let failure: unknown;
  await store.write({ deletes: [[]] }).catch((error) => {
    failure = error;
  });
  store.close();
  const isDeleted = await new Promise<boolean>((resolve) => {
    const request = indexedDB.deleteDatabase(DATABASE);
    request.onsuccess = () => resolve(true);
    request.onerror = request.onblocked = () => resolve(false);
  });
  if (failure && !isDeleted) throw failure;
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

  const open = async (): Promise<IDBDatabase> => {
    if (closed) throw new DOMException('closed', 'InvalidStateError');
    let late = false;
    const opened = createStore(DATABASE, RECORDS)('readonly', ({ transaction: { db } }) => {
      // Else who deletes the database waits for as long as this page lives.
      db.onversionchange = () => db.close();
      if (late) db.close();
      return db;
    });
    return new Promise((resolve, reject) => {
      const stopTimer = after(OPEN_MILLIS, () => {
        late = true;
        reject(new Error('IndexedDB does not open'));
      });
      opened.then(resolve, reject).finally(stopTimer);
    });
  };
  const connect = (): Promise<IDBDatabase> => {
    if (!connection) {
      connection = open();
      connection.catch(lose);
    }
    return connection;
  };
  void connect();

  /** Transactions that wait for an answer before they can be committed. */
  const waiting = new Set<IDBTransaction>();

  /** Runs `work` in the microtask that begins its transaction; transactions are begun in the order of the calls. */
  const use = async <T>(
    mode: IDBTransactionMode,
    work: (records: IDBObjectStore) => T | PromiseLike<T>,
  ): Promise<T> => {
    const begin = (db: IDBDatabase): IDBObjectStore => db.transaction(RECORDS, mode).objectStore(RECORDS);
    const first = connect();
    const db = await first;
    let records: IDBObjectStore;
    try {
      records = begin(db);
    } catch {
      // Closed: by us for another page, or by the browser, which does not always say so.
      if (connection === first) lose();
      records = begin(await connect());
    }
    const { transaction } = records;
    waiting.add(transaction);
    try {
      return await work(records);
    } finally {
      waiting.delete(transaction);
    }
  };

  return {
    write: ({ puts = [], deletes = [], ifPresent }) =>
      use(
        'readwrite',
        (records) =>
          new Promise((resolve, reject) => {
            const { transaction } = records;
            let made = true;
            let failure: unknown;
            const change = (): void => {
              try {
                for (const prefix of deletes) records.delete(below(prefix));
                for (const [key, value] of puts) records.put(value, key as string[]);
                transaction.commit?.();
                waiting.delete(transaction);
              } catch (error) {
                failure = error;
                transaction.abort();
              }
            };
            transaction.oncomplete = () => resolve(made);
            // Not onerror, where the transaction does not know its error yet.
            transaction.onabort = () => reject(failure ?? transaction.error ?? new Error('aborted'));
            if (!ifPresent) return change();
            const found = records.getKey(ifPresent as string[]);
            found.onsuccess = () => {
              made = found.result !== undefined;
              if (made) change();
            };
          }),
      ),
    keys: (prefix) =>
      use('readonly', (records) =>
        promisifyRequest(records.getAllKeys(below(prefix)) as IDBRequest<string[][]>),
      ),
    read: (prefix, limit) =>
      use('readonly', async (records) => {
        const range = below(prefix);
        const [keys, values] = await Promise.all([
          promisifyRequest(records.getAllKeys(range, limit) as IDBRequest<string[][]>),
          promisifyRequest(records.getAll(range, limit) as IDBRequest<unknown[]>),
        ]);
        // To IndexedDB a limit of 0 is none.
        return keys.slice(0, limit).map((key, index) => [key, values[index]]);
      }),
    letGo() {
      for (const transaction of waiting) {
        try {
          transaction.abort();
        } catch {
          // It has just come to its end.
        }
      }
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
