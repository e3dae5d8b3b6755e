import { setTimeout as delay } from 'node:timers/promises';

/**
 * @typedef {import('../scene.mjs').Case} Case
 * @typedef {import('../scene.mjs').Scene} Scene
 */

/** Every write says that the quota is used up. */
const FULL = `<script>{
  const refuse = () => { throw new DOMException('full', 'QuotaExceededError'); };
  IDBObjectStore.prototype.put = IDBObjectStore.prototype.add = Storage.prototype.setItem = refuse;
}</script>`;

/** As where a user has forbidden it. */
const FORBIDDEN = `<script>{
  const refuse = () => { throw new DOMException('forbidden', 'SecurityError'); };
  IDBFactory.prototype.open = refuse;
  for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(globalThis, name, { get: refuse });
}</script>`;

/** Resolves with the name of the error that a write of 100 kB meets, so that a case can see that its fault is there. */
const TRY_WRITE = `new Promise((resolve) => {
  const name = (error) => resolve(error?.name ?? 'no error');
  try {
    const opening = indexedDB.open('a page’s own');
    opening.onupgradeneeded = () => opening.result.createObjectStore('store');
    opening.onerror = () => name(opening.error);
    opening.onsuccess = () => {
      try {
        const writing = opening.result.transaction('store', 'readwrite');
        writing.onabort = () => name(writing.error);
        writing.oncomplete = () => name();
        writing.objectStore('store').put('x'.repeat(100_000), 'key');
      } catch (error) {
        name(error);
      }
    };
  } catch (error) {
    name(error);
  }
})`;

/** All databases, and localStorage; databases in use are gone once they are let go. */
const CLEAR = `(async () => {
  localStorage.clear();
  for (const { name } of await indexedDB.databases()) indexedDB.deleteDatabase(name);
})()`;

/** @param {Scene} scene @param {string} expected */
async function withoutStorage(scene, expected) {
  const tab = await scene.visitAndSettle();
  const met = await tab.run(TRY_WRITE);
  if (met !== expected) throw new Error(`writing to IndexedDB met ${met}, not ${expected}`);
  await tab.run(scene.emit('without storage', 3));
  await delay(500);
  await tab.leave(`${scene.emit('last words', 2)}; ${scene.goAway}`);
}

/** Storage that is full, forbidden, or cleared under the page. @type {Case[]} */
export const storage = [
  {
    name: 'storage-full',
    title: 'the origin’s quota is used up',
    notes: {
      firefox: 'writes throw, by a script in the page',
      webkit: 'writes throw, by a script in the page',
    },
    async play(scene) {
      if (scene.browser.fillStorage) await scene.browser.fillStorage(scene.site.origin);
      else scene.site.setPage({ head: FULL });
      await withoutStorage(scene, 'QuotaExceededError');
    },
  },
  {
    name: 'storage-forbidden',
    title: 'IndexedDB, localStorage and sessionStorage throw',
    page: { head: FORBIDDEN },
    play: (scene) => withoutStorage(scene, 'SecurityError'),
  },
  {
    name: 'storage-cleared',
    title: 'the user clears the site’s data in an outage, and the page stays',
    notes: { firefox: 'cleared by a script in the page', webkit: 'cleared by a script in the page' },
    async play(scene) {
      const tab = await scene.visitAndSettle();
      scene.blackout();
      await tab.run(scene.emit('before', 3));
      await delay(1_000);
      if (scene.browser.clearSiteData) await scene.browser.clearSiteData(scene.site.origin);
      else await tab.run(CLEAR);
      await tab.run(scene.emit('after', 3));
      await delay(1_000);
      scene.mock.faults.clear();
    },
  },
];
