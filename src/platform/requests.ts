/** Requests that nobody takes for the host's, and their answers. */
import { parseRetryAfter } from '../wire/retry-after.js';
import { readBytes, textOf } from './http.js';
import type { HttpAnswer, Platform, Stop } from './platform.js';
import { untraced } from './untraced.js';

type Fetch = typeof globalThis.fetch;

/** A request that has not been answered by then is given up; blobs go again under the same key. */
const REQUEST_MILLIS = 30_000;
/** A server may ask for more patience than we would have, but not for all day. */
const MAX_RETRY_AFTER_MILLIS = 60 * 60_000;

/** Follows the marks that instrumentations leave on the functions they wrap, down to the first. */
function unwrapped(fetch: Fetch | undefined): Fetch | undefined {
  let inner: Fetch | undefined = fetch;
  for (let depth = 0; depth < 10; depth++) {
    const wrapped = inner as { __original?: Fetch; __sentry_original__?: Fetch } | undefined;
    const next: Fetch | undefined = wrapped?.__original ?? wrapped?.__sentry_original__;
    if (typeof next !== 'function') break;
    inner = next;
  }
  return inner;
}

export interface Requests extends Pick<Platform, 'request' | 'fetch' | 'abandon' | 'close'> {
  /** What gives up the requests under way. */
  readonly underWay: ReadonlySet<Stop>;
}

/**
 * @param later sets a timer that nothing but its result stops.
 * @param began hears of each request's URL.
 */
export function createRequests(
  scope: typeof globalThis,
  later: (millis: number, task: () => void) => Stop,
  began: (url: string) => void = () => {},
): Requests {
  const hostFetch = unwrapped(scope.fetch);
  const underWay = new Set<Stop>();
  let isClosed = false;

  const quietly: Fetch = (input, init) => untraced(() => (hostFetch as Fetch).call(scope, input, init));

  const abandon = (): void => {
    for (const end of [...underWay]) end();
  };

  /** Begins in the caller's task. */
  const answerTo = async (url: string, init: RequestInit): Promise<HttpAnswer> => {
    const response = await quietly(url, init);
    // Read even when nobody wants it: only that frees the keepalive bytes.
    const bytes = await readBytes(response);
    const { headers, status } = response;
    const asked = parseRetryAfter(headers, Date.now());
    return {
      ...{ status, body: textOf(bytes), bytes, contentType: headers.get('content-type') ?? undefined },
      retryAfterMillis: asked && Math.min(asked, MAX_RETRY_AFTER_MILLIS),
    };
  };

  return {
    request(url, init, timeoutMillis = REQUEST_MILLIS) {
      if (isClosed) return Promise.resolve({ status: 0, body: 'closed' });
      began(url);
      const abort = new AbortController();
      return new Promise((resolve) => {
        const settle = (answer: HttpAnswer): void => {
          stopTimer();
          underWay.delete(giveUp);
          resolve(answer);
        };
        // Not left to the abort, which a request that came out of the bfcache does not hear either.
        const giveUp = (): void => {
          settle({ status: 0, body: 'given up' });
          abort.abort();
        };
        const stopTimer = later(timeoutMillis, giveUp);
        underWay.add(giveUp);
        // No `cache`: PUT and POST are never answered from one, and `no-store` would say `Cache-Control: no-cache`, which
        // a store keeps with the object.
        answerTo(url, { signal: abort.signal, ...init }).then(settle, (error) =>
          settle({ status: 0, body: String(error) }),
        );
      });
    },
    fetch: quietly,
    underWay,
    abandon,
    close() {
      isClosed = true;
      abandon();
    },
  };
}
