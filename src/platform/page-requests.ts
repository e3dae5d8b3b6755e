/** What goes out of a browser page: requests, beacons and deferred requests, known as our own by their URLs. */
import { ownGlobal } from './dom.js';
import type { Platform, Stop } from './platform.js';
import { createRequests } from './requests.js';

type FetchLater = (url: string, init: RequestInit) => { readonly activated: boolean };

/** Firefox never settles a request that was under way when its page went into the bfcache; those that will, soon do. */
const RESTORED_MILLIS = 1_000;
/** Presigned URLs are long, and only the latest can still turn up in resource timing. */
const MAX_OWN_URLS = 100;

export interface PageRequests
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
export function createPageRequests(
  scope: typeof globalThis,
  later: (millis: number, task: () => void) => Stop,
): PageRequests {
  const { navigator } = scope as Partial<typeof globalThis>;
  const fetchLater = ownGlobal<FetchLater>('fetchLater', scope);
  const ownUrls = new Set<string>();
  const own = (url: string): void => {
    ownUrls.add(url);
    const [oldest] = ownUrls;
    if (ownUrls.size > MAX_OWN_URLS && oldest !== undefined) ownUrls.delete(oldest);
  };
  const { underWay, ...requests } = createRequests(scope, later, own);
  /** What the page was put away with; what takes back the requests deferred. */
  let leftOpen: Stop[] = [];
  const deferred = new Set<Stop>();
  let closed = false;

  const abandon = (): void => {
    requests.abandon();
    for (const cancel of [...deferred]) cancel();
  };

  return {
    ...requests,
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
      requests.close();
      abandon();
    },
  };
}
