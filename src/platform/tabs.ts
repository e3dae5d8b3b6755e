import type { Tabs } from './platform.js';

const lockOf = (name: string): string => `spandrel ${name}`;

export interface LockTabsDeps {
  locks: LockManager;
  /** Makes what stands in where locks are refused (opaque origins); under the same name. */
  openLease: () => Tabs;
}

/**
 * Tabs by Web Locks: a page holds a lock of its own name, and the browser frees it when the page goes, however it
 * goes. A lock that was lost, to somebody who stole it or to WebKit's bfcache, can be held again.
 *
 * @param name a UUID.
 * @see https://w3c.github.io/web-locks/
 */
export function createLockTabs(name: string, { locks, openLease }: LockTabsDeps): Tabs {
  let lease: Tabs | undefined;
  /** Ends the request for our lock, and the lock. */
  let mine: AbortController | undefined;
  let known: Promise<void> | undefined;

  const letGo = (): void => {
    mine?.abort();
    mine = known = undefined;
  };
  const take = (taken: () => void): void => {
    const abort = new AbortController();
    const { signal } = abort;
    mine = abort;
    const granted = (): Promise<unknown> =>
      new Promise((free) => {
        taken();
        signal.onabort = free;
      });
    locks
      .request(lockOf(name), { signal }, granted)
      .catch((error: Error) => {
        if (mine !== abort || error.name !== 'SecurityError') return undefined;
        lease = openLease();
        return lease.hold();
      })
      .then(() => {
        if (mine === abort) letGo();
        taken();
      });
  };
  const hold = (): Promise<void> => {
    if (lease) return lease.hold();
    known ??= new Promise(take);
    return known;
  };
  const release = (): void => {
    letGo();
    lease?.release();
  };
  const unlessLocked = (lock: string, task: () => Promise<void>): Promise<boolean> =>
    locks.request(lockOf(lock), { ifAvailable: true }, async (granted) => {
      if (granted) await task();
      return granted !== null;
    });

  return {
    name,
    hold,
    release,
    ifDead: (other, task) => lease?.ifDead(other, task) ?? unlessLocked(other, task),
    async living() {
      if (lease) return undefined;
      const { held = [], pending = [] } = await locks.query();
      return new Set([...held, ...pending].map(({ name = '' }) => name.replace('spandrel ', '')));
    },
    alone: (lane, task) => lease?.alone(lane, task) ?? unlessLocked(`${lane} adopting`, task),
    close: release,
  };
}
