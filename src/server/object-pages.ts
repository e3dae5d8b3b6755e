import type { ListOptions, Storage, StoredObject } from './storage.js';
import { StorageError } from './storage.js';

/** A listing, read page by page, of which nothing is believed but what was asked for. */
export interface ObjectPages {
  /**
   * What comes next: keys below the prefix, each once, in order. Empty pages occur. Undefined at the end.
   *
   * @param after goes on behind this key, where that is further than the listing has come.
   * @throws {StorageError} also when the store lists the same again, not in the order of keys, or for ever.
   */
  next(after?: string): Promise<StoredObject[] | undefined>;
}

/** Pages without anything new. A store that goes on like this is broken. */
const MAX_IDLE_PAGES = 100;

/**
 * Opens a listing of the objects whose keys begin with `prefix`.
 *
 * A store may list more than that: one that passes over `prefix` or `start-after`, or that lies. Whoever sends,
 * deletes or writes files by a listing must not do so with what lies elsewhere.
 *
 * @param start only keys that come after this one.
 */
export function openObjectPages(storage: Pick<Storage, 'list'>, prefix: string, start = ''): ObjectPages {
  /** Keys up to there are not asked for. */
  let floor = start;
  /** Keys up to there have been handed out. */
  let reached = start;
  /** The last key that the store has told, whatever it is. */
  let told = '';
  let options: ListOptions = start === '' ? {} : { after: start };
  let cursors = new Set<string>();
  let idle = 0;
  let hasEnded = false;

  return {
    async next(after = '') {
      if (hasEnded) return undefined;
      if (compareKeys(after, reached) > 0) {
        [floor, reached, told] = [after, after, ''];
        options = { after };
        cursors = new Set();
      }
      const { objects, cursor } = await storage.list(prefix, options);
      const page = inOrder(objects);
      const last = page.at(-1)?.key ?? '';
      idle = compareKeys(last, told) > 0 ? 0 : idle + 1;
      told = last || told;
      const asked = page.filter(({ key }) => key.startsWith(prefix) && compareKeys(key, floor) > 0);
      const [first] = asked;
      // Objects that were handed out must not be so again: they may be sent by now.
      if (first && compareKeys(first.key, reached) <= 0) {
        throw new StorageError('the store lists the same objects again, or not in the order of keys');
      }
      reached = asked.at(-1)?.key ?? reached;
      hasEnded = cursor === undefined;
      if (cursor !== undefined) {
        if (cursors.has(cursor) || idle > MAX_IDLE_PAGES) {
          // What this page has is still good; the next would be the same.
          if (asked.length === 0) throw new StorageError('the listing makes no progress');
        }
        cursors.add(cursor);
        options = { cursor };
      }
      return asked;
    },
  };
}

/** Sorted, each key once. */
function inOrder(objects: readonly StoredObject[]): StoredObject[] {
  const sorted = objects
    .filter(({ key }) => typeof key === 'string')
    .sort((one, other) => compareKeys(one.key, other.key));
  return sorted.filter(({ key }, index) => key !== sorted[index - 1]?.key);
}

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff;

/** The order of stores, that of UTF-8 bytes: negative when `one` comes first. JavaScript's is that of UTF-16 units. */
export function compareKeys(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let index = 0; index < length; index += 1) {
    const [a, b] = [one.charCodeAt(index), other.charCodeAt(index)];
    if (a === b) continue;
    // Characters beyond U+FFFF are pairs of surrogates, and come after U+E000 to U+FFFF.
    if (isSurrogate(a) !== isSurrogate(b)) {
      if (isSurrogate(a)) return b >= 0xe000 ? 1 : a - b;
      return a >= 0xe000 ? -1 : a - b;
    }
    return a - b;
  }
  return one.length - other.length;
}
