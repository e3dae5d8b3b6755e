import type { Notes } from './platform.js';

/**
 * Notes in `localStorage`, whose very getter throws where storage is forbidden, and which is null in some web views.
 *
 * @param scope the global object.
 */
export function createNotes(scope: Partial<Pick<typeof globalThis, 'localStorage'>>): Notes | undefined {
  const attempt = <T>(access: (storage: Storage) => T): T | undefined => {
    try {
      return scope.localStorage ? access(scope.localStorage) : undefined;
    } catch {
      return undefined;
    }
  };
  if (!attempt(() => true)) return undefined;
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
        Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? '').filter((name) =>
          name.startsWith(prefix),
        ),
      ) ?? [],
  };
}
