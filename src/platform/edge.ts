/** The world of one invocation at the edge, or of a process: no page, no database, nothing that outlives it. */
import type { Platform, Stop } from './platform.js';
import { createRequests } from './requests.js';
import { createTimers } from './timers.js';

const nothing: Stop = () => {};

/** @param onException hears of every exception in a timer; it never reaches the host. */
export function createEdgePlatform(onException: (error: unknown) => void): Platform {
  const { later, after, close: closeTimers } = createTimers(onException);
  const { close: closeRequests, ...requests } = createRequests(globalThis, later);

  return {
    ...requests,
    async request(url, init, timeoutMillis, read) {
      const isStrict = init.redirect === 'error';
      // Workers throw at `redirect: 'error'`.
      const here: RequestInit = isStrict ? { ...init, redirect: 'manual' } : init;
      const answer = await requests.request(url, here, timeoutMillis, read);
      return isStrict && answer.status >= 300 && answer.status < 400
        ? { status: 0, body: `redirected (${answer.status})` }
        : answer;
    },
    now: () => Date.now(),
    monotonic: () => performance.now(),
    random: () => Math.random(),
    randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
    after,
    whenIdle: after,
    // Nobody waits for this thread as a user does; a timer would cost more than it gives.
    yieldToMain: async () => {},
    openStore: () => undefined,
    notes: undefined,
    onNote: () => nothing,
    purge: async () => {},
    // Nobody asks for them where there is no store.
    openTabs: nothing as never,
    keepalive: { reserve: () => undefined, freeBytes: Number.POSITIVE_INFINITY },
    cachesEarly: false,
    onPage: () => nothing,
    onOnline: () => nothing,
    close() {
      closeRequests();
      closeTimers();
    },
  };
}
