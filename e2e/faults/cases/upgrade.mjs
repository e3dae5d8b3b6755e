import { readFileSync } from 'node:fs';

/**
 * What an earlier release left behind in IndexedDB, unsent. Bytes are `{ "$base64": … }` anywhere in a value, the
 * instant of writing `{ "$now": true }`, and `$origin` the site's.
 *
 * @typedef {object} EarlierStore
 * @property {string} database
 * @property {number} version
 * @property {{ name: string, records: { key: IDBValidKey, value: unknown }[] }[]} stores
 * @property {string[]} spans Names of the spans in the records.
 */

/** Taken from the database of 0.1.0, whose format is the first, and never changed: later releases must read it. */
const FIXTURE = new URL('../fixtures/earlier-durable-format.json', import.meta.url);

/** @param {string} origin @returns {EarlierStore} */
const readFixture = (origin) => JSON.parse(readFileSync(FIXTURE, 'utf8').replaceAll('$origin', origin));

/** Runs in a page of the same origin without Spandrel. @param {EarlierStore} earlier */
const writeStore = (earlier) => `(async ({ database, version, stores }) => {
  const revive = (value) => {
    if (typeof value !== 'object' || value === null) return value;
    if ('$base64' in value) return Uint8Array.from(atob(value.$base64), (byte) => byte.charCodeAt(0));
    if ('$now' in value) return Date.now();
    if (Array.isArray(value)) return value.map(revive);
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, revive(item)]));
  };
  const done = (request, event) => new Promise((resolve, reject) => {
    request[event] = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const opening = indexedDB.open(database, version);
  opening.onupgradeneeded = () => stores.forEach(({ name }) => opening.result.createObjectStore(name));
  const db = await done(opening, 'onsuccess');
  const writing = db.transaction(stores.map(({ name }) => name), 'readwrite');
  for (const { name, records } of stores)
    for (const { key, value } of records) writing.objectStore(name).put(revive(value), key);
  await done(writing, 'oncomplete');
  db.close();
})(${JSON.stringify(earlier)})`;

/** A new release over what an earlier one stored. @type {import('../scene.mjs').Case[]} */
export const upgrade = [
  {
    name: 'upgrade',
    title: 'a new release finds what an earlier one stored',
    async play(scene) {
      const earlier = readFixture(scene.site.origin);
      for (const name of earlier.spans) scene.emitted.add(name);
      const tab = await scene.browser.open(scene.site.awayUrl);
      await tab.run(writeStore(earlier));
    },
  },
];
