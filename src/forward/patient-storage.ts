import { isStorageError, type Storage } from '../server/storage.js';

/** The parts of a store that forwarding needs. */
export type ForwardStorage = Pick<Storage, 'put' | 'list' | 'get' | 'delete'>;

/** Resolves after so many milliseconds, or as soon as the signal says so. Never rejects. */
export type Wait = (millis: number, signal: AbortSignal | undefined) => Promise<void>;

export const wait: Wait = (millis, signal) =>
  new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, millis);
    signal?.addEventListener('abort', done);
  });

const ATTEMPTS = 4;
/** Doubled with each attempt; the wait is a random part of it, at least half. */
const FIRST_WAIT_MILLIS = 400;

/** A store whose passing troubles are waited for: no answer or half of one, 408, 429 and 5xx. @throws what is left. */
export function patientStorage(
  storage: ForwardStorage,
  signal: AbortSignal | undefined,
  waitFor: Wait,
): ForwardStorage {
  async function patiently<T>(ask: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await ask();
      } catch (error) {
        if (attempt >= ATTEMPTS || !isPassing(error) || signal?.aborted) throw error;
      }
      await waitFor(FIRST_WAIT_MILLIS * 2 ** (attempt - 1) * (0.5 + Math.random() / 2), signal);
    }
  }
  return {
    put: (key, bytes, options) => patiently(() => storage.put(key, bytes, options)),
    list: (prefix, options) => patiently(() => storage.list(prefix, options)),
    get: (key, options) => patiently(() => storage.get(key, options)),
    delete: (key) => patiently(() => storage.delete(key)),
  };
}

/** What is none of our errors is of a store of the user's own, whose `fetch` may have failed. */
function isPassing(error: unknown): boolean {
  if (!isStorageError(error)) return true;
  if (error.tooLarge) return false;
  const { httpStatus: status } = error;
  // A success that broke off, too.
  return status === undefined || status < 300 || status === 408 || status === 429 || status >= 500;
}
