import type { Tabs } from './platform.js';

const PREFIX = 'spandrel ';

/**
 * Tabs by Web Locks: a page holds a lock of its own name, and the browser frees it when the page goes, however it
 * goes. A lock that was lost, to somebody who stole it or to WebKit's bfcache, can be held again. Where there are none,
 * or they are refused (opaque origins), nobody can tell who lives.
 *
 * @param name a UUID.
 * @see https://w3c.github.io/web-locks/
 */
export function createTabs(name: string, locks: LockManager | undefined): Tabs {
  let isRefused = !locks;
  /** Ends the request for our lock, and the lock. */
  let mine: AbortController | undefined;
  let known: Promise<void> | undefined;

  const release = (): void => {
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
    (locks as LockManager)
      .request(PREFIX + name, { signal }, granted)
      .catch((error: Error) => {
        isRefused ||= mine === abort && error.name === 'SecurityError';
      })
      .then(() => {
        if (mine === abort && !isRefused) release();
        taken();
      });
  };

  return {
    name,
    async hold() {
      if (isRefused) return;
      known ??= new Promise(take);
      await known;
    },
    release,
    close: release,
    async living() {
      if (isRefused) return undefined;
      const { held = [], pending = [] } = await (locks as LockManager).query();
      return new Set([...held, ...pending].map((lock) => `${lock.name}`.replace(PREFIX, '')));
    },
    async alone(lane, task) {
      let isMine = true;
      const unlessTaken = async (granted: unknown): Promise<void> => {
        isMine = granted !== null;
        if (isMine) await task();
      };
      if (isRefused) await task();
      else await locks?.request(`${PREFIX}${lane} adopting`, { ifAvailable: true }, unlessTaken);
      return isMine;
    },
  };
}
