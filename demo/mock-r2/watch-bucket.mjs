import { setTimeout as delay } from 'node:timers/promises';

const PAUSE_MILLIS = 300;
/** Looking takes at most a tenth of the time, however much there is to list. */
const PAUSE_PER_LOOK = 9;

/**
 * Tells of each new object, by looking again and again: Miniflare has no event notifications of R2.
 *
 * @param {import('./bucket.mjs').Bucket} bucket Empty as yet.
 * @param {(key: string) => void} onObject
 * @returns {() => Promise<void>} Ends it.
 */
export function watchBucket(bucket, onObject) {
  const ending = new AbortController();
  const known = new Set();
  const watch = async () => {
    for (;;) {
      const startedAt = performance.now();
      for (const { key } of (await bucket.list()).reverse()) {
        if (!known.has(key)) onObject(key);
        known.add(key);
      }
      const pause = Math.max(PAUSE_MILLIS, PAUSE_PER_LOOK * (performance.now() - startedAt));
      await delay(pause, undefined, { signal: ending.signal });
    }
  };
  // Nothing else is to be told here: a bucket that cannot be listed shows in whoever lists it.
  const watching = watch().catch(() => undefined);
  return () => {
    ending.abort();
    return watching;
  };
}
