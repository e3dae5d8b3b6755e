/**
 * @typedef {object} StoredObject
 * @property {string} key
 * @property {number} size Bytes.
 * @property {number} uploadedAt Epoch milliseconds.
 *
 * @typedef {object} Librarian The Worker of `librarian-worker.mjs`.
 * @property {(url: string, init?: { method: string }) => Promise<Pick<Response, 'ok' | 'json' | 'arrayBuffer'>>} fetch
 *
 * @typedef {object} Bucket
 * @property {(prefix?: string) => Promise<StoredObject[]>} list Newest first.
 * @property {(key: string) => Promise<Uint8Array | undefined>} get The bytes as they were put.
 * @property {() => Promise<void>} clear
 */

/**
 * The bucket as its owner sees it: no signature, no faults, no CORS.
 *
 * @param {Librarian} librarian
 * @returns {Bucket}
 */
export function createBucket(librarian) {
  return {
    async list(prefix = '') {
      const response = await librarian.fetch('http://librarian/');
      const objects = /** @type {StoredObject[]} */ (await response.json());
      return objects
        .filter(({ key }) => key.startsWith(prefix))
        .sort((a, b) => b.uploadedAt - a.uploadedAt || (a.key < b.key ? 1 : -1));
    },
    async get(key) {
      const response = await librarian.fetch(`http://librarian/?key=${encodeURIComponent(key)}`);
      const bytes = new Uint8Array(await response.arrayBuffer());
      return response.ok ? bytes : undefined;
    },
    async clear() {
      await (await librarian.fetch('http://librarian/', { method: 'DELETE' })).arrayBuffer();
    },
  };
}
