import { handle } from './app.mjs';

const { port } = /** @type {any} */ (globalThis).Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch: handle,
});
console.log(`port ${port}`);
