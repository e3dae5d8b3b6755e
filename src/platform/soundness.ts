/**
 * Whether what we stand on does what it should: pages replace the platform's own functions, some by broken ones.
 *
 * Where these are broken, what is sent would be no OTLP, or be sent twice, and promises of ours would be rejected
 * with nobody to handle it. There we are better silent.
 */
export function isSound(scope: typeof globalThis = globalThis): boolean {
  try {
    const { JSON, Promise, Date, queueMicrotask } = scope;
    return (
      JSON.parse(JSON.stringify(['"']))[0] === '"' &&
      Promise.resolve().then(() => {}) instanceof Promise &&
      Date.now() > 0 &&
      new Date().getTime() > 0 &&
      typeof queueMicrotask === 'function'
    );
  } catch {
    return false;
  }
}
