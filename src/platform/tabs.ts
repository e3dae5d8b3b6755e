import type { Platform, Tabs } from './platform.js';

/** By then a navigation has come to its end, unless its server is slow, or the page stays (a download). */
const STAYED_MILLIS = 10_000;

const lockOf = (name: string): string => `spandrel ${name}`;

export interface LockTabsDeps {
  locks: LockManager;
  /** The window. */
  target: Partial<Pick<EventTarget, 'addEventListener' | 'removeEventListener'>>;
  after: Platform['after'];
  /** Makes what stands in where locks are refused (opaque origins); under the same name. */
  openLease: () => Tabs;
}

/**
 * Tabs by Web Locks: a page holds a lock of its own name, and the browser frees it when the page goes, however it
 * goes. A lock that was lost, to somebody who stole it or to WebKit's bfcache, can be held again.
 *
 * Firefox decides before pagehide whether the page may go into its bfcache, and those that hold a lock may not. So
 * the lock is let go at beforeunload, and taken again if the page is still there.
 *
 * @param name a UUID.
 * @see https://w3c.github.io/web-locks/
 */
export function createLockTabs(name: string, { locks, target, after, openLease }: LockTabsDeps): Tabs {
  let lease: Tabs | undefined;
  /** Ends the request for our lock, and the lock. */
  let mine: AbortController | undefined;
  let known: Promise<void> | undefined;
  let wanted = false;

  const letGo = (): void => {
    target.removeEventListener?.('beforeunload', lend);
    mine?.abort();
    mine = known = undefined;
  };
  const lend = (): void => {
    letGo();
    after(STAYED_MILLIS, () => {
      if (wanted) void hold();
    });
  };
  const take = (taken: () => void): void => {
    const abort = new AbortController();
    const { signal } = abort;
    mine = abort;
    target.addEventListener?.('beforeunload', lend);
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
    wanted = true;
    known ??= new Promise(take);
    return known;
  };
  const release = (): void => {
    wanted = false;
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
    alone: (lane, task) => lease?.alone(lane, task) ?? unlessLocked(`${lane} adopting`, task),
    close: release,
  };
}
