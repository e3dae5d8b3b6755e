/** What follows asynchronous code through its awaits, where the runtime has it. */

/** The part of `AsyncLocalStorage` that is used. */
export interface AsyncStorage<T> {
  getStore(): T | undefined;
  run<R>(value: T, task: () => R): R;
}

interface AsyncHooks {
  AsyncLocalStorage?: new <T>() => AsyncStorage<T>;
}

interface Scope extends AsyncHooks {
  process?: { getBuiltinModule?(name: string): AsyncHooks | undefined };
}

/**
 * Looks for an `AsyncLocalStorage`: as a global (Vercel), as a built-in module by name (Node from 20.16, Deno, Bun,
 * workerd with `nodejs_compat`), or imported, which takes a moment (workerd with `nodejs_als`, older Node).
 *
 * @param found is given what there is, in the caller's task where that is possible; nothing is said where there is none.
 *   Begun while a Worker starts, the import is over before its first request, and no request awaits it: a promise of
 *   one request must not be awaited by another.
 */
export function findAsyncStorage<T>(
  found: (storage: AsyncStorage<T>) => void,
  scope: object = globalThis,
  load: () => Promise<AsyncHooks> = loadAsyncHooks,
): void {
  const take = (module: AsyncHooks | undefined): boolean => {
    const Storage = module?.AsyncLocalStorage;
    if (Storage) found(new Storage());
    return Storage !== undefined;
  };
  try {
    const { AsyncLocalStorage, process } = scope as Scope;
    if (take({ AsyncLocalStorage } as AsyncHooks)) return;
    if (take(process?.getBuiltinModule?.('node:async_hooks'))) return;
  } catch {
    // Somebody's stand-in for either.
  }
  load().then(take, () => {});
}

// A literal once it is compiled, as some tools refuse what they cannot read; bundlers are told to leave it to the runtime.
const loadAsyncHooks = (): Promise<AsyncHooks> =>
  import(/* webpackIgnore: true */ /* @vite-ignore */ 'node:async_hooks' as string);
