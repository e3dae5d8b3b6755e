/**
 * A destination that takes everything at once, so that only the page's side is measured.
 *
 * @param {{ isArmed?: boolean }} [options] `isArmed`: what waits is left with the browser too, as a bucket's is.
 */
export function sink({ isArmed = false } = {}) {
  return {
    open({ platform }) {
      return {
        warmUp() {},
        ready: () => true,
        send: async () => ({ status: 'stored' }),
        ...(isArmed && {
          reserve: () => ({ key: 'key', token: 'token', tries: 0 }),
          defer: (blob) =>
            platform.defer(new URL('/armed', location.href).href, { method: 'PUT', body: blob.bytes }),
        }),
        leave() {},
        settle: async () => {},
        close() {},
      };
    },
  };
}

/** What `make` makes where there is no IndexedDB. @template T @param {() => T} make */
export function withoutDatabase(make) {
  const { indexedDB } = globalThis;
  Object.defineProperty(globalThis, 'indexedDB', { value: undefined, configurable: true });
  try {
    return make();
  } finally {
    Object.defineProperty(globalThis, 'indexedDB', { value: indexedDB, configurable: true });
  }
}
