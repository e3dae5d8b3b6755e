/** The world as a browser page has it; what is missing (Node, workers) is simply absent. */
import { context, createContextKey } from '@opentelemetry/api';
import { parseRetryAfter, readText } from './http.js';
import { keepaliveBudget } from './keepalive-budget.js';
import { onPageSignal } from './page-lifecycle.js';
import type { HttpAnswer, PageSignal, Platform, Stop } from './platform.js';

type Fetch = typeof globalThis.fetch;
interface Scheduler {
  yield?(): Promise<void>;
}

/** The key by which OpenTelemetry's instrumentations know that a request is telemetry's own. */
const SUPPRESS_TRACING = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

/** A request that has not been answered by then is given up; blobs go again under the same key. */
const REQUEST_MILLIS = 30_000;
/** Firefox never settles a request that was under way when its page went into the bfcache; those that will, soon do. */
const RESTORED_MILLIS = 1_000;
/** Presigned URLs are long, and only the latest can still turn up in resource timing. */
const MAX_OWN_URLS = 100;

const nothing: Stop = () => {};

/** Follows the marks that instrumentations leave on the functions they wrap, down to the first. */
function unwrapped(fetch: Fetch): Fetch {
  let inner: Fetch | undefined = fetch;
  for (let depth = 0; depth < 10; depth++) {
    const wrapped = inner as {
      __original?: Fetch;
      __sentry_original__?: Fetch;
    };
    const next: Fetch | undefined = wrapped.__original ?? wrapped.__sentry_original__;
    if (typeof next !== 'function') break;
    inner = next;
  }
  return inner;
}

/**
 * @param onException hears of every exception in a timer or listener; it never reaches the page.
 * @param scope the global object.
 */
export function createBrowserPlatform(
  onException: (error: unknown) => void,
  scope: typeof globalThis = globalThis,
): Platform {
  const guarded =
    <A extends unknown[]>(task: (...args: A) => void) =>
    (...args: A): void => {
      try {
        task(...args);
      } catch (error) {
        onException(error);
      }
    };
  const { document, navigator } = scope as Partial<typeof globalThis>;
  const scheduler = (scope as { scheduler?: Scheduler }).scheduler;
  const hostFetch = unwrapped(scope.fetch);

  const ownUrls = new Set<string>();
  const own = (url: string): void => {
    ownUrls.add(url);
    const [oldest] = ownUrls;
    if (ownUrls.size > MAX_OWN_URLS && oldest !== undefined) ownUrls.delete(oldest);
  };

  const keepalive = keepaliveBudget(scope);
  /** What ends the timers and requests under way. */
  const endings = new Set<Stop>();
  /** What gives up the requests under way; those that the page was put away with. */
  const requests = new Set<Stop>();
  let leftOpen: Stop[] = [];
  let closed = false;
  const later = (millis: number, task: () => void): Stop => {
    const stop = (): void => {
      clearTimeout(timer);
      endings.delete(stop);
    };
    const timer = setTimeout(() => {
      endings.delete(stop);
      task();
    }, millis);
    endings.add(stop);
    return stop;
  };

  /** Begins in the caller's task. */
  const answerTo = async (url: string, init: RequestInit): Promise<HttpAnswer> => {
    const untraced = context.active().setValue(SUPPRESS_TRACING, true);
    const response: Response = await context.with(untraced, () => hostFetch.call(scope, url, init));
    // Read even when nobody wants it: only that frees the keepalive bytes.
    const body = await readText(response);
    const retryAfterMillis = parseRetryAfter(response.headers, Date.now());
    return { status: response.status, body, retryAfterMillis };
  };

  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    random: () => Math.random(),
    randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
    after(millis, task) {
      return closed ? nothing : later(millis, guarded(task));
    },
    yieldToMain: () =>
      scheduler?.yield ? scheduler.yield().catch(nothing) : new Promise((resolve) => setTimeout(resolve, 0)),
    request(url, init) {
      if (closed) return Promise.resolve({ status: 0, body: 'closed' });
      own(url);
      const abort = new AbortController();
      return new Promise((resolve) => {
        const settle = (answer: HttpAnswer): void => {
          stopTimer();
          requests.delete(giveUp);
          resolve(answer);
        };
        // Not left to the abort, which a request that came out of the bfcache does not hear either.
        const giveUp = (): void => {
          settle({ status: 0, body: 'given up' });
          abort.abort();
        };
        const stopTimer = later(REQUEST_MILLIS, giveUp);
        requests.add(giveUp);
        answerTo(url, { cache: 'no-store', signal: abort.signal, ...init }).then(settle, (error) =>
          settle({ status: 0, body: String(error) }),
        );
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
    keepalive,
    onPage(listener) {
      if (!document) return nothing;
      const handle = guarded((signal: PageSignal) => {
        if (signal === 'visible' && leftOpen.length) {
          const stale = leftOpen.splice(0);
          later(RESTORED_MILLIS, () => {
            for (const giveUp of stale) giveUp();
          });
        }
        listener(signal);
        if (signal === 'cached') leftOpen = [...requests];
      });
      return onPageSignal(scope, document, handle);
    },
    onOnline(listener) {
      if (!document) return nothing;
      const handle = guarded(listener);
      scope.addEventListener('online', handle);
      return () => scope.removeEventListener('online', handle);
    },
    close() {
      closed = true;
      for (const end of [...endings, ...requests]) end();
      keepalive.close();
    },
  };
}
