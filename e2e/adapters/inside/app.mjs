// What every runtime serves here: the endpoint over a store in memory, and what has come to lie in it.
import { createIngest } from 'spandrel/server';

/** @type {Map<string, number>} */
const objects = new Map();

/** @type {import('../../../src/server.js').Storage} */
export const storage = {
  presign: async (key) => ({ method: 'PUT', url: `https://store.example/${key}`, headers: {} }),
  put: async (key, { length }) => {
    if (objects.has(key)) return 'exists';
    objects.set(key, length);
    return 'created';
  },
  head: async (key) => (objects.has(key) ? { size: objects.get(key) ?? 0 } : undefined),
  list: async () => ({ objects: [] }),
  get: async () => undefined,
  delete: async () => undefined,
};

const ingest = createIngest({
  storage,
  secret: 'a secret of at least thirty-two characters',
  allowedOrigins: ['https://shop.example'],
  maxRelayBytes: 65_536,
  bodyTimeoutMillis: 1_000,
});

/** @param {Request} request @returns {Promise<Response>} */
export async function handle(request) {
  return new URL(request.url).pathname === '/objects' ? Response.json([...objects]) : ingest(request);
}
