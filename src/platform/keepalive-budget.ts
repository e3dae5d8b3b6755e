import type { KeepaliveBudget, Stop } from './platform.js';

/**
 * Three quarters of the 64 KiB that the Fetch standard allows: the rest is the host page's, and that of headers, which
 * some engines count.
 */
const KEEPALIVE_BYTES = 48 * 1024;

/** One per page, however many copies or versions of us are on it. */
const SHARED = Symbol.for('spandrel.keepalive');

/** The page's reservation, kept on `scope` so that several copies share one. `close` gives back what this one holds. */
export function keepaliveBudget(scope: object): KeepaliveBudget & { close: Stop } {
  const holder = scope as { [SHARED]?: { used: number } };
  if (!holder[SHARED]) Object.defineProperty(holder, SHARED, { value: { used: 0 } });
  const shared = holder[SHARED] as { used: number };
  const held = new Set<Stop>();
  return {
    get freeBytes() {
      return KEEPALIVE_BYTES - shared.used;
    },
    reserve(bytes) {
      if (bytes > KEEPALIVE_BYTES - shared.used) return undefined;
      shared.used += bytes;
      const release = (): void => {
        if (held.delete(release)) shared.used -= bytes;
      };
      held.add(release);
      return release;
    },
    close() {
      for (const release of held) release();
    },
  };
}
