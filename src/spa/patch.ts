/** Goes around a function of the page, unseen. */
import type { Stop } from '../platform/platform.js';

// biome-ignore lint/suspicious/noExplicitAny: whatever the page's function takes and gives.
type PageFunction = (...args: any[]) => any;

/**
 * Until stopped, calls of `owner[name]` go to `around`, which must do for the page what `original` does. Nothing
 * happens where there is no such function or the page has locked it. If somebody wraps ours meanwhile, stopping leaves
 * the chain as it is: calls then only pass through.
 *
 * A proxy, so that `name`, `length`, `toString()` and whatever else the page finds on its function, or puts there, are
 * the original's. `__original` is where `platform/requests.ts` and others look for the function beneath.
 */
export function patch<F extends PageFunction>(
  owner: object,
  name: string,
  // biome-ignore lint/suspicious/noExplicitAny: the page may call it on anything.
  around: (original: F, self: any, args: Parameters<F>) => ReturnType<F>,
): Stop {
  const original: F | undefined = Reflect.get(owner, name);
  if (!original) return () => {};
  let active = true;
  const patched = new Proxy(original, {
    apply: (_, self, args) =>
      active ? around(original, self, args as Parameters<F>) : Reflect.apply(original, self, args),
    get: (_, key) => (key === '__original' ? original : Reflect.get(original, key)),
  });
  Reflect.set(owner, name, patched);
  return () => {
    active = false;
    if (Reflect.get(owner, name) === patched) Reflect.set(owner, name, original);
  };
}
