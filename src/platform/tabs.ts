import type { Tabs } from './platform.js';

const lockOf = (name: string): string => `spandrel ${name}`;

/**
 * Tabs by Web Locks: a page holds a lock of its own name, and the browser frees it when the page goes, however it
 * goes. Where locks are refused (opaque origins), by leases, once `hold` was told so.
 *
 * `hold` may be called again when the lock was lost to somebody who stole it, or to WebKit's bfcache.
 *
 * @param name a UUID.
 * @param openLease makes what stands in; the same name.
 * @see https://w3c.github.io/web-locks/
 */
export function createLockTabs(name: string, locks: LockManager, openLease: () => Tabs): Tabs {
  let lease: Tabs | undefined;
  let mine: { known: Promise<void>; end: () => void } | undefined;
  let closed = false;

  const take = (): NonNullable<typeof mine> => {
    // Ends a request that still waits; a lock that was granted ends with its promise.
    const abort = new AbortController();
    let end = (): void => {};
    const ended = new Promise<void>((resolve) => {
      end = () => {
        if (mine === taken) mine = undefined;
        abort.abort();
        resolve();
      };
    });
    const known = new Promise<void>((resolve) => {
      const granted = (): Promise<void> => {
        resolve();
        return ended;
      };
      const refused = (error: unknown): Promise<void> | undefined => {
        if (mine !== taken || (error as Error).name !== 'SecurityError') return undefined;
        lease = openLease();
        return lease.hold();
      };
      locks
        .request(lockOf(name), { signal: abort.signal }, granted)
        .catch(refused)
        .then(() => {
          end();
          resolve();
        });
    });
    const taken = { known, end };
    return taken;
  };

  const unlessLocked = (lock: string, task: () => Promise<void>): Promise<boolean> =>
    locks.request(lockOf(lock), { ifAvailable: true }, async (granted) => {
      if (granted) await task();
      return granted !== null;
    });

  return {
    name,
    hold() {
      if (lease) return lease.hold();
      if (closed) return Promise.resolve();
      mine ??= take();
      return mine.known;
    },
    release() {
      mine?.end();
      lease?.release();
    },
    ifDead: (other, task) => lease?.ifDead(other, task) ?? unlessLocked(other, task),
    alone: (lane, task) => lease?.alone(lane, task) ?? unlessLocked(`${lane} adopting`, task),
    close() {
      closed = true;
      mine?.end();
      lease?.close();
    },
  };
}
