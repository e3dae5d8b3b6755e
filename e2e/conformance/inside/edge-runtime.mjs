import { answer } from './host.mjs';

/** Vercel's functions get their context as a second argument. */
globalThis.addEventListener('fetch', (/** @type {any} */ event) => {
  event.respondWith(
    answer(event.request, undefined, {
      waitUntil: (/** @type {Promise<unknown>} */ work) => event.waitUntil(work),
    }),
  );
});
