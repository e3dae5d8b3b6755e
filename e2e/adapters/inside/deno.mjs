import { handle } from './app.mjs';

/** @type {any} */ (globalThis).Deno.serve(
  { hostname: '127.0.0.1', port: 0, onListen: (/** @type {any} */ { port }) => console.log(`port ${port}`) },
  handle,
);
