import { type Storage, StorageError } from '../server/storage.js';

/** A store in a map, which can be told to be down. */
export interface MemoryStorage extends Storage {
  readonly objects: Map<string, Uint8Array<ArrayBuffer>>;
  /** Every call so far, as `method key`. */
  readonly calls: string[];
  /** What every call rejects with, until it is undefined again. */
  failure: Error | undefined;
  uploadLength?: 'exact' | 'range';
}

export function memoryStorage(): MemoryStorage {
  const objects = new Map<string, Uint8Array<ArrayBuffer>>();
  const calls: string[] = [];
  const begin = (method: string, key: string): void => {
    calls.push(`${method} ${key}`);
    if (storage.failure) throw storage.failure;
  };
  const storage: MemoryStorage = {
    objects,
    calls,
    failure: undefined,
    async presign(key, { expiresInSeconds, bytes }) {
      begin('presign', key);
      const length = bytes === undefined ? '' : `&length=${bytes}`;
      return {
        method: 'PUT',
        url: `https://store.example/bucket/${key}?expires=${expiresInSeconds}${length}`,
        headers: { 'content-type': 'application/gzip' },
      };
    },
    async put(key, bytes) {
      begin('put', key);
      if (objects.has(key)) return 'exists';
      objects.set(key, bytes);
      return 'created';
    },
    async head(key) {
      begin('head', key);
      const bytes = objects.get(key);
      return bytes && { size: bytes.length };
    },
    async list(prefix, { after = '' } = {}) {
      begin('list', prefix);
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
      return { objects: keys.map((key) => ({ key, size: objects.get(key)?.length ?? 0 })) };
    },
    async get(key, { maxBytes = Number.POSITIVE_INFINITY } = {}) {
      begin('get', key);
      const bytes = objects.get(key);
      if (bytes && bytes.length > maxBytes) throw new StorageError('too large', { tooLarge: true });
      return bytes;
    },
    async delete(key) {
      begin('delete', key);
      objects.delete(key);
    },
  };
  return storage;
}

export function storageDown(): StorageError {
  return new StorageError('the store answered PUT with 503 https://store.example/secret', {
    httpStatus: 503,
  });
}
