/** Gathers the changes of one task into one transaction. */
import { toJson } from '../json.js';
import type { Store, StoreKey } from '../platform/platform.js';

export interface WriteQueue {
  /**
   * Puts a record, or deletes it where `value` is undefined, with the other changes of this task; the last word on a
   * key counts. `done` hears once that is written (true) or has failed (false).
   */
  change(key: StoreKey, value: unknown, done?: (written: boolean) => void): void;
  /**
   * Puts a record if there is another under `present`, in a transaction of its own.
   *
   * @returns false when there is none; undefined when the database did not say. Never rejects.
   */
  putIfPresent(present: StoreKey, key: StoreKey, value: unknown): Promise<boolean | undefined>;
  /** Resolves once all changes so far are written, have failed, or were waited for long enough. Never rejects. */
  settled(): Promise<void>;
  /** Begins the transaction now: the page is leaving. */
  flush(): void;
  /** Keys that may still be in the database, though nobody wants them there any more. */
  undeleted(): StoreKey[];
}

interface Change {
  key: StoreKey;
  value: unknown;
  done: ((written: boolean) => void)[];
  /**
   * Of a delete that failed, and is to be tried again: the puts of its transaction of which nothing has come yet. They
   * may have been to replace what it deletes.
   */
  behind?: Set<string>;
}

const isDelete = ({ value }: Change): boolean => value === undefined;

/**
 * How long anybody waits for the database: a cached page of WebKit's can block it for a minute. What waited goes on
 * without it.
 */
const PATIENCE_MILLIS = 1_000;
/** About a megabyte of records that a database in trouble would not delete; beyond these the oldest stay in it. */
const MAX_UNDONE = 1_000;

export function createWriteQueue(deps: {
  /** Undefined: nothing is ever written. */
  store: Store | undefined;
  /** Nothing is written before this, unless the page leaves. */
  ready: Promise<void>;
  after(millis: number, task: () => void): () => void;
  /** Hears of each transaction that failed. */
  failed(error: unknown): void;
}): WriteQueue {
  const { store } = deps;
  let changes = new Map<string, Change>();
  /** The last word on each key that the database has not heard, has not answered or would not delete. */
  const unheard = new Map<string, Change>();
  let next: Promise<void> | undefined;
  let last: Promise<void> = Promise.resolve();

  const patiently = <T>(work: Promise<T>, otherwise: T): Promise<T> =>
    new Promise((resolve) => {
      const stop = deps.after(PATIENCE_MILLIS, () => resolve(otherwise));
      void work.then((result) => {
        stop();
        resolve(result);
      });
    });

  const settle = (name: string): void => {
    for (const { behind } of unheard.values()) behind?.delete(name);
  };

  /** Writes all of `batch` in one transaction. */
  const make = async (to: Store, batch: readonly [string, Change][]): Promise<void> => {
    const puts = batch.filter(([, change]) => !isDelete(change));
    const written = await to
      .write({
        puts: puts.map(([, { key, value }]) => [key, value]),
        deletes: batch.filter(([, change]) => isDelete(change)).map(([, { key }]) => key),
      })
      .then(
        () => true,
        (error) => {
          deps.failed(error);
          return false;
        },
      );
    const isLatest = ([name, change]: [string, Change]): boolean => unheard.get(name) === change;
    const failedPuts = puts.filter(isLatest).map(([name]) => name);
    for (const [name, change] of batch.filter(isLatest)) {
      if (written) settle(name);
      if (!written && isDelete(change)) change.behind = new Set(failedPuts);
      else unheard.delete(name);
    }
    const undone = [...unheard].filter(([, { behind }]) => behind);
    for (const [name] of undone.slice(0, -MAX_UNDONE)) unheard.delete(name);
    for (const [, { done }] of batch) for (const hear of done) hear(written);
  };

  const begin = (): Promise<void> => {
    const batch = [...changes];
    changes = new Map();
    next = undefined;
    // In a transaction of their own: deletes can be made where puts cannot, as when the quota is used up.
    const again = [...unheard].filter(([, { behind }]) => behind?.size === 0);
    for (const [, change] of again) delete change.behind;
    for (const part of [again, batch]) {
      if (store && part.length) last = patiently(make(store, part), undefined);
    }
    return last;
  };

  return {
    change(key, value, done) {
      if (!store) return done?.(false);
      const name = toJson(key);
      const earlier = changes.get(name)?.done ?? [];
      const latest = { key, value, done: done ? [...earlier, done] : earlier };
      changes.set(name, latest);
      unheard.set(name, latest);
      if (value === undefined) settle(name);
      next ??= deps.ready.then(begin);
    },
    async putIfPresent(present, key, value) {
      if (!store) return undefined;
      const writing = store.write({ puts: [[key, value]], ifPresent: present }).catch((error) => {
        deps.failed(error);
        return undefined;
      });
      return patiently(writing, undefined);
    },
    settled: () => next ?? last,
    flush: () => void begin(),
    undeleted: () => [...unheard.values()].filter(isDelete).map(({ key }) => key),
  };
}
