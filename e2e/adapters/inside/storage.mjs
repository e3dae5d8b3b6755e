// A store in memory, and the lengths of what has come to lie in it.
/** @type {Map<string, number>} */
export const objects = new Map();

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
