/** What goes out of a browser page: requests, beacons and deferred requests, known as our own by their URLs. */
import { parseRetryAfter } from '../wire/retry-after.js';
import { ownGlobal } from './dom.js';
import { readBytes, textOf } from './http.js';
import type { HttpAnswer, Platform, Stop } from './platform.js';
import { untraced } from './untraced.js';

type Fetch = typeof globalThis.fetch;
type FetchLater = (url: string, init: RequestInit) => { readonly activated: boolean };

/** A request that has not been answered by then is given up; blobs go again under the same key. */
const REQUEST_MILLIS = 30_000;
/** Firefox never settles a request that was under way when its page went into the bfcache; those that will, soon do. */
const RESTORED_MILLIS = 1_000;
/** A server may ask for more patience than we would have, but not for all day. */
const MAX_RETRY_AFTER_MILLIS = 60 * 60_000;
/** Presigned URLs are long, and only the latest can still turn up in resource timing. */
const MAX_OWN_URLS = 100;

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

export interface Requests
  extends Pick<
    Platform,
    'request' | 'fetch' | 'isOwnRequest' | 'beacon' | 'defer' | 'canDefer' | 'abandon' | 'close'
  > {
  /** The page goes into the bfcache with what is under way. */
  putAway(): void;
  /** It is back; what it was put away with and is not answered soon is given up. */
  restored(): void;
}

/** @param later sets a timer that nothing but its result stops. */
export function createRequests(
  scope: typeof globalThis,
  later: (millis: number, task: () => void) => Stop,
): Requests {
  const { navigator } = scope as Partial<typeof globalThis>;
  const hostFetch = unwrapped(scope.fetch);
  const fetchLater = ownGlobal<FetchLater>('fetchLater', scope);
  const ownUrls = new Set<string>();
  const own = (url: string): void => {
    ownUrls.add(url);
    const [oldest] = ownUrls;
    if (ownUrls.size > MAX_OWN_URLS && oldest !== undefined) ownUrls.delete(oldest);
  };

  /** What gives up those under way; those that the page was put away with; what takes back those deferred. */
  const underWay = new Set<Stop>();
  let leftOpen: Stop[] = [];
  const deferred = new Set<Stop>();
  let closed = false;

  const abandon = (): void => {
    for (const end of [...underWay, ...deferred]) end();
  };

  /** Begins in the caller's task. */
  const answerTo = async (url: string, init: RequestInit): Promise<HttpAnswer> => {
    const response: Response = await untraced(() => (hostFetch as Fetch).call(scope, url, init));
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
      if (closed) return Promise.resolve({ status: 0, body: 'closed' });
      own(url);
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
    fetch: (input, init) => untraced(() => (hostFetch as Fetch).call(scope, input, init)),
    isOwnRequest: (url) => ownUrls.has(url),
    beacon(url, body) {
      own(url);
      try {
        return navigator?.sendBeacon?.(url, body) ?? false;
      } catch {
        return false;
      }
    },
    canDefer: fetchLater !== undefined,
    defer(url, init) {
      if (closed) return undefined;
      const abort = new AbortController();
      try {
        const result = fetchLater?.call(scope, url, { ...init, signal: abort.signal });
        if (!result) return undefined;
        own(url);
        const cancel = (): boolean => {
          deferred.delete(cancel);
          abort.abort();
          return !result.activated;
        };
        deferred.add(cancel);
        return cancel;
      } catch {
        // QuotaExceededError, or NotAllowedError where the permissions policy forbids it.
        return undefined;
      }
    },
    putAway() {
      leftOpen = [...underWay];
    },
    restored() {
      const stale = leftOpen.splice(0);
      if (!stale.length) return;
      later(RESTORED_MILLIS, () => {
        for (const giveUp of stale) giveUp();
      });
    },
    abandon,
    close() {
      closed = true;
      abandon();
    },
  };
}
