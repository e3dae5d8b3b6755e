/** What we cannot do without: browsers have had these for years, but tests and old DOMs in Node may not. */
const FUNCTIONS = [
  ...(['fetch', 'AbortController', 'Blob', 'Headers', 'TextDecoder', 'TextEncoder', 'URL'] as const),
  'queueMicrotask',
] as const;

/**
 * What of what we stand on is missing, or does not do what it should: pages replace the platform's own functions, some
 * by broken ones. Undefined where all is well.
 *
 * Where these are broken, what is sent would be no OTLP, or be sent twice, and promises of ours would be rejected
 * with nobody to handle it. There we are better silent.
 */
export function flawOf(scope: typeof globalThis = globalThis): string | undefined {
  const missing = FUNCTIONS.find((name) => typeof scope[name] !== 'function');
  if (missing) return missing;
  try {
    scope.crypto.getRandomValues(new Uint8Array(1));
    // A test's DOM may lend functions to Node that know no other object than their own window.
    scope.removeEventListener?.('', flawOf as () => void);
    if (
      scope.JSON.parse(scope.JSON.stringify(['"']))[0] === '"' &&
      typeof scope.Promise.resolve().then(() => {}) === 'object' &&
      scope.Date.now() + scope.performance.now() + scope.performance.timeOrigin > 0
    ) {
      return undefined;
    }
  } catch {
    // One of these.
  }
  return 'JSON, Promise, Date, performance, crypto or addEventListener';
}
