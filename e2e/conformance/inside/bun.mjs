import { answer } from './host.mjs';

const { port } = /** @type {any} */ (globalThis).Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch: (/** @type {Request} */ request) => answer(request),
});
console.log(`port ${port}`);
