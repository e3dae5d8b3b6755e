import type { Storage } from '../server/storage.js';

/** The parts of a store that forwarding needs. */
export type ForwardStorage = Pick<Storage, 'put' | 'list' | 'get' | 'delete'>;

/** One whose passing troubles are waited for. */
export interface PatientStorage extends ForwardStorage {
  /** Reads without patience: for who has other things to do meanwhile. */
  tryGet: Storage['get'];
}

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

/**
 * A store whose passing troubles are waited for: no answer, one that breaks off, 408, 429 and 5xx; and that lists nothing but what was asked
 * for. @throws {StorageError} what is left.
 */
export function patientStorage(
  storage: ForwardStorage,
  signal: AbortSignal | undefined,
  waitFor: Wait,
): PatientStorage {
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
    async list(prefix, options) {
      const page = await patiently(() => storage.list(prefix, options));
      // What is listed is sent and deleted: notes and leases too must not reach beyond their own folder.
      return { ...page, objects: page.objects.filter(({ key }) => key?.startsWith(prefix)) };
    },
    get: (key, options) => patiently(() => storage.get(key, options)),
    tryGet: async (key, options) => storage.get(key, options),
    delete: (key) => patiently(() => storage.delete(key)),
  };
}

/**
 * What is to be known of a failure of any store: ours of `spandrel/server`, whose classes may be others than those that
 * are bundled here, or the user's own, which may throw anything.
 */
export function troubleOf(error: unknown): { status: number | undefined; tooLarge: boolean; ofKey: boolean } {
  const { httpStatus, tooLarge, message } = (error ?? {}) as Record<string, unknown>;
  const status = typeof httpStatus === 'number' ? httpStatus : undefined;
  // No URL can hold such a key, so that no request was made.
  const isNoKey = error instanceof URIError || /not an object key$/.test(String(message));
  return {
    status,
    tooLarge: tooLarge === true,
    ofKey: isNoKey || OF_THIS_KEY.has(status ?? 0),
  };
}

/** A store that answers one of these to one key may answer better to others. */
const OF_THIS_KEY = new Set([400, 405, 410, 414, 416]);

/** Whether the same may fare better a little later. */
export function isPassing(error: unknown): boolean {
  const { status, tooLarge, ofKey } = troubleOf(error);
  if (tooLarge || ofKey) return false;
  // A success that broke off, too.
  return status === undefined || status < 300 || status === 408 || status === 429 || status >= 500;
}
