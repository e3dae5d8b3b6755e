/** When to try again: pure arithmetic, no timers. */

/** The first delay; it doubles with each failed attempt. */
export const RETRY_BASE_MILLIS: number = 1_000;
/** No delay of our own is longer. */
export const RETRY_CAP_MILLIS: number = 5 * 60_000;
/**
 * Full jitter: uniform between 0 and the exponential delay, so that a fleet of pages does not return at once.
 * A `Retry-After` is a least delay beside our own, which a server that says 0 does not switch off; jitter of up to a
 * base delay comes on top, for the same reason.
 *
 * @param failures failed attempts so far, at least 1.
 * @param random uniform in [0, 1).
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function nextDelayMillis(failures: number, random: number, retryAfterMillis?: number): number {
  const own = random * Math.min(RETRY_CAP_MILLIS, RETRY_BASE_MILLIS * 2 ** Math.min(failures - 1, 30));
  return retryAfterMillis === undefined ? own : Math.max(retryAfterMillis + random * RETRY_BASE_MILLIS, own);
}
