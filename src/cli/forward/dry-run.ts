import type { BatchSender, ObjectResult } from '../../forward/batch.js';
import type { Storage } from '../../server/storage.js';

/** A backend that takes everything; nothing is sent. */
export const refrainingSender: BatchSender = {
  async send(objects) {
    const results = objects.map(
      ({ key }): ObjectResult => ({ key, status: 'sent', spanCount: 0, rejectedCount: 0 }),
    );
    return { results, requestCount: 0, byteCount: 0 };
  },
};

/** A bucket that can be read, and in which nothing changes. */
export function readOnly(storage: Storage): Storage {
  return {
    ...storage,
    put: async () => 'created',
    delete: async () => undefined,
  };
}
