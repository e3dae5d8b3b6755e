/**
 * Whether what we stand on does what it should: pages replace the platform's own functions, some by broken ones.
 *
 * Where these are broken, what is sent would be no OTLP, or be sent twice, and promises of ours would be rejected
 * with nobody to handle it. There we are better silent.
 */
export function isSound(scope: typeof globalThis = globalThis): boolean {
  try {
    return (
      scope.JSON.parse(scope.JSON.stringify(['"']))[0] === '"' &&
      typeof scope.Promise.resolve().then(() => {}) === 'object' &&
      scope.Date.now() > 0 &&
      typeof scope.queueMicrotask === 'function'
    );
  } catch {
    return false;
  }
}
