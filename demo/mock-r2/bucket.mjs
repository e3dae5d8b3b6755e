/**
 * @typedef {object} StoredObject
 * @property {string} key
 * @property {number} size Bytes.
 * @property {number} uploadedAt Epoch milliseconds.
 *
 * @typedef {object} Librarian The Worker of `librarian-worker.mjs`.
 * @property {(url: string) => Promise<Pick<Response, 'ok' | 'json' | 'text' | 'arrayBuffer'>>} fetch
 *
 * @typedef {object} Bucket
 * @property {(prefix?: string) => Promise<StoredObject[]>} list Newest first.
 * @property {(key: string) => Promise<StoredObject | undefined>} about
 * @property {(key: string) => Promise<Uint8Array | undefined>} get The bytes as they were put.
 * @property {() => Promise<void>} clear
 * @property {(key: string) => Promise<void>} announce Tells the queue of an object, if there is one.
 */

/**
 * The bucket as its owner sees it: no signature, no faults, no CORS.
 *
 * @param {Librarian} librarian
 * @returns {Bucket}
 */
export function createBucket(librarian) {
  const ask = (/** @type {string} */ path, key = '') =>
    librarian.fetch(`http://librarian/${path}?key=${encodeURIComponent(key)}`);
  return {
    async list(prefix = '') {
      const objects = /** @type {StoredObject[]} */ (await (await ask('list')).json());
      return objects
        .filter(({ key }) => key.startsWith(prefix))
        .sort((a, b) => b.uploadedAt - a.uploadedAt || (a.key < b.key ? 1 : -1));
    },
    async about(key) {
      const response = await ask('about', key);
      // The body is read in any case: one left unread keeps its connection.
      const text = await response.text();
      return response.ok ? JSON.parse(text) : undefined;
    },
    async get(key) {
      const response = await ask('object', key);
      const bytes = new Uint8Array(await response.arrayBuffer());
      return response.ok ? bytes : undefined;
    },
    async announce(key) {
      await (await ask('event', key)).arrayBuffer();
    },
    async clear() {
      await (await ask('clear')).arrayBuffer();
    },
  };
}
