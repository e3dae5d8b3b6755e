/** What goes out of a page: requests, beacons and deferred requests, known as our own by their URLs. */

import { parseRetryAfter } from '../wire/retry-after.js';
import { ownGlobal } from './dom.js';
import type { HttpAnswer, Platform, Stop } from './platform.js';
import { untraced } from './untraced.js';

type Fetch = typeof globalThis.fetch;
type FetchLater = (url: string, init: RequestInit) => { readonly activated: boolean };

/** A request that has not been answered by then is given up; blobs go again under the same key. */
const REQUEST_MILLIS = 30_000;
/** A server may ask for more patience than we would have, but not for all day. */
const MAX_RETRY_AFTER_MILLIS = 60 * 60_000;
/** A hundred presigned uploads of 2 KB each; more is not an answer of ours. */
const MAX_BODY_BYTES = 256 * 1024;
/** Firefox never settles a request that was under way when its page went into the bfcache; those that will, soon do. */
const RESTORED_MILLIS = 1_000;
/** Presigned URLs are long, and only the latest can still turn up in resource timing. */
const MAX_OWN_URLS = 100;

/** Follows the marks that instrumentations leave on the functions they wrap, down to the first. */
function unwrapped(fetch: Fetch): Fetch {
  let inner: unknown = fetch;
  for (let depth = 0; depth < 10 && typeof inner === 'function'; depth++) {
    fetch = inner as Fetch;
    const { __original, __sentry_original__ } = inner as {
      __original?: unknown;
      __sentry_original__?: unknown;
    };
    inner = __original ?? __sentry_original__;
  }
  return fetch;
}

/** A response's body as text; beyond 256 KiB it is cut and cancelled. @throws what the body's stream throws. */
async function readText(response: Response): Promise<Partial<HttpAnswer>> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let body = '';
  for (let room = MAX_BODY_BYTES; reader; ) {
    const { done, value } = await reader.read();
    if (done) break;
    body += decoder.decode(value, { stream: true });
    room -= value.length;
    if (room < 0) {
      await reader.cancel();
      break;
    }
  }
  return { body };
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

export function createRequests(scope: typeof globalThis, after: Platform['after']): Requests {
  const { navigator } = scope as Partial<typeof globalThis>;
  const hostFetch = unwrapped(scope.fetch);
  const fetchLater = ownGlobal<FetchLater>('fetchLater', scope);
  const ownUrls = new Set<string>();
  /** What gives up the requests under way; those that the page was put away with; what takes back those deferred. */
  const underWay = new Set<Stop>();
  let leftOpen: Stop[] = [];
  const deferred = new Set<Stop>();
  let closed = false;

  const own = (url: string): void => {
    ownUrls.add(url);
    const [oldest] = ownUrls;
    if (ownUrls.size > MAX_OWN_URLS) ownUrls.delete(oldest as string);
  };
  const quietly: Fetch = (input, init) => untraced(() => hostFetch.call(scope, input, init));
  const endAll = (ends: Iterable<Stop>): void => {
    for (const end of [...ends]) end();
  };
  const abandon = (): void => {
    endAll(underWay);
    endAll(deferred);
  };

  return {
    fetch: quietly,
    request(url, init, timeoutMillis = REQUEST_MILLIS, read = readText) {
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
        const stopTimer = after(timeoutMillis, giveUp);
        underWay.add(giveUp);
        // No `cache`: PUT and POST are never answered from one, and `no-store` would say `Cache-Control: no-cache`, which
        // a store keeps with the object.
        (async () => {
          const response = await quietly(url, { signal: abort.signal, ...init });
          const { headers, status } = response;
          const asked = parseRetryAfter(headers, Date.now());
          // Read even when nobody wants it: only that frees the keepalive bytes.
          const rest = await read(response);
          const retryAfterMillis = asked && Math.min(asked, MAX_RETRY_AFTER_MILLIS);
          settle({ status, body: '', retryAfterMillis, ...rest });
        })().catch((error) => settle({ status: 0, body: String(error) }));
      });
    },
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
      if (closed || !fetchLater) return undefined;
      const abort = new AbortController();
      try {
        const result = fetchLater.call(scope, url, { ...init, signal: abort.signal });
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
      const stale = leftOpen;
      leftOpen = [];
      if (stale.length) after(RESTORED_MILLIS, () => endAll(stale));
    },
    abandon,
    close() {
      closed = true;
      abandon();
    },
  };
}
