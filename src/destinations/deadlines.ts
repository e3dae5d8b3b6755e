import type { Platform, Stop } from '../platform/platform.js';

/** Bounds the time that others may take for what we await of them. */
export interface Deadlines {
  /**
   * What the promise settles with, if it does so in time.
   *
   * @throws what it rejects with; an Error when `millis` have passed, or {@link close} was called.
   */
  within<T>(millis: number, promise: Promise<T>): Promise<T>;
  /** Ends all that is awaited. */
  close(): void;
}

export function createDeadlines(platform: Pick<Platform, 'after'>): Deadlines {
  const endings = new Set<Stop>();
  let closed = false;
  return {
    within: (millis, promise) =>
      new Promise((resolve, reject) => {
        const end = (): void => {
          endings.delete(end);
          stopTimer();
          reject(new Error(closed ? 'closed' : `no answer in ${millis} ms`));
        };
        const stopTimer = closed ? () => {} : platform.after(millis, end);
        endings.add(end);
        if (closed) end();
        promise.then(resolve, reject).finally(() => {
          endings.delete(end);
          stopTimer();
        });
      }),
    close() {
      closed = true;
      for (const end of endings) end();
    },
  };
}
