import type { Notes } from './platform.js';

/**
 * Name of the note that the database has not deleted what the user denied, and how often that was so: what is in it
 * from before is nobody's any more.
 */
export const DENIALS = 'spandrel-1 denials';

/**
 * Notes in `localStorage`, whose very getter throws where storage is forbidden, and which is null in some web views.
 * It is taken once: in WebKit the getter answers null to a page that closes itself, while what it gave before goes on
 * to work.
 *
 * @param scope the global object.
 * @param name `sessionStorage` for notes of this tab alone.
 */
export function createNotes<N extends 'localStorage' | 'sessionStorage' = 'localStorage'>(
  scope: Partial<Pick<typeof globalThis, N>>,
  name: N = 'localStorage' as N,
): Notes | undefined {
  const quietly = <T>(access: () => T): T | undefined => {
    try {
      return access();
    } catch {
      return undefined;
    }
  };
  const storage = quietly(() => scope[name] as Storage | undefined);
  if (!storage) return undefined;
  const attempt = <T>(access: (storage: Storage) => T): T | undefined => quietly(() => access(storage));
  return {
    set: (name, text) =>
      attempt((storage) => {
        storage.setItem(name, text);
        return true;
      }) ?? false,
    get: (name) => attempt((storage) => storage.getItem(name)) ?? undefined,
    delete: (name) => attempt((storage) => storage.removeItem(name)),
    names: (prefix) =>
      attempt((storage) =>
        // Not Object.keys, which lists what a page has hung on it as well.
        [...Array(storage.length).keys()]
          .map((index) => storage.key(index) ?? '')
          .filter((name) => name.startsWith(prefix)),
      ) ?? [],
  };
}
