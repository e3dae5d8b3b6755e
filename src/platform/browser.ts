/** The world as a browser page has it; what is missing (Node, workers) is simply absent. */
import { context, createContextKey } from '@opentelemetry/api';
import { parseRetryAfter, readText } from './http.js';
import { keepaliveBudget } from './keepalive-budget.js';
import { onPageSignal } from './page-lifecycle.js';
import type { Platform, Stop } from './platform.js';

type Fetch = typeof globalThis.fetch;
interface Scheduler {
  yield?(): Promise<void>;
}

/** The key by which OpenTelemetry's instrumentations know that a request is telemetry's own. */
const SUPPRESS_TRACING = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

/** A request that has not been answered by then is given up; blobs go again under the same key. */
const REQUEST_MILLIS = 30_000;
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

  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    random: () => Math.random(),
    randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
    after(millis, task) {
      const timer = setTimeout(guarded(task), millis);
      return () => clearTimeout(timer);
    },
    yieldToMain: () =>
      scheduler?.yield ? scheduler.yield().catch(nothing) : new Promise((resolve) => setTimeout(resolve, 0)),
    async request(url, init) {
      own(url);
      const abort = new AbortController();
      const timer = setTimeout(() => abort.abort(), REQUEST_MILLIS);
      try {
        const untraced = context.active().setValue(SUPPRESS_TRACING, true);
        const response: Response = await context.with(untraced, () =>
          hostFetch.call(scope, url, { cache: 'no-store', signal: abort.signal, ...init }),
        );
        // Read even when nobody wants it: only that frees the keepalive bytes.
        const body = await readText(response);
        return {
          status: response.status,
          body,
          retryAfterMillis: parseRetryAfter(response.headers, Date.now()),
        };
      } catch (error) {
        return { status: 0, body: String(error) };
      } finally {
        clearTimeout(timer);
      }
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
    keepalive: keepaliveBudget(scope),
    onPage: (listener) => (document ? onPageSignal(scope, document, guarded(listener)) : nothing),
    onOnline(listener) {
      if (!document) return nothing;
      const handle = guarded(listener);
      scope.addEventListener('online', handle);
      return () => scope.removeEventListener('online', handle);
    },
  };
}
