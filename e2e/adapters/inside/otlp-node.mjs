import { createServer } from 'node:http';
import { nodeListener } from 'spandrel/server';
import { appOver } from './otlp-app.mjs';

/** @type {Map<string, Uint8Array<ArrayBuffer>>} */
const objects = new Map();
/** @type {import('../../../src/server.js').Storage} */
const storage = {
  put: async (key, bytes) => {
    if (objects.has(key)) return 'exists';
    objects.set(key, bytes);
    return 'created';
  },
  head: async (key) => (objects.has(key) ? {} : undefined),
  list: async () => ({ objects: [...objects].map(([key, { length }]) => ({ key, size: length })) }),
  get: async (key) => objects.get(key),
  delete: async () => undefined,
};

const server = createServer(nodeListener(appOver(storage)));
server.listen(0, '127.0.0.1', () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  console.log(`port ${port}`);
});
