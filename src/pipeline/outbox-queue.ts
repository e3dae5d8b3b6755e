/** Gathers the changes of one task into one transaction. */
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
}

/**
 * How long anybody waits for the database: a cached page of WebKit's can block it for a minute. What waited goes on
 * without it.
 */
const PATIENCE_MILLIS = 1_000;

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
  let changes = new Map<string, { key: StoreKey; value: unknown; done: ((written: boolean) => void)[] }>();
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

  const begin = (): Promise<void> => {
    const batch = [...changes.values()];
    changes = new Map();
    next = undefined;
    if (!store || !batch.length) return last;
    const puts = batch
      .filter(({ value }) => value !== undefined)
      .map(({ key, value }) => [key, value] as const);
    const deletes = batch.filter(({ value }) => value === undefined).map(({ key }) => key);
    const writing = store.write({ puts, deletes }).then(
      () => true,
      (error) => {
        deps.failed(error);
        return false;
      },
    );
    const heard = writing.then((written) => {
      for (const { done } of batch) for (const hear of done) hear(written);
    });
    last = patiently(heard, undefined);
    return last;
  };

  return {
    change(key, value, done) {
      if (!store) return done?.(false);
      const name = JSON.stringify(key);
      const earlier = changes.get(name)?.done ?? [];
      changes.set(name, { key, value, done: done ? [...earlier, done] : earlier });
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
  };
}
