import { createPageClock, type PageClock } from '../platform/clock.js';

/** A page's clock over a test's: the wall clock is always `offset` milliseconds ahead of the monotonic one. */
export function testClock(monotonic: () => number, offset: number): PageClock {
  const scope = { performance: { now: monotonic }, Date: { now: () => monotonic() + offset } };
  return createPageClock(scope as never);
}
