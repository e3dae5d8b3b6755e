/** A destination may be anybody's: what it throws reaches neither the page nor what waits. */
import type { Destination, DestinationDeps, OpenDestination } from './destination.js';

/** Opens `destination`. What it throws is counted; what cannot be opened fails each attempt. */
export function openGuarded(destination: Destination, deps: DestinationDeps): OpenDestination {
  const { guard, theirs } = deps.diagnostics;
  const open: OpenDestination = guard(() => destination.open(deps)) ?? {
    send: async () => ({ status: 'retryable', cause: 'not opened' }),
    close() {},
  };
  // By whatever it has when it is asked, as the rest of it may come later.
  return new Proxy({} as OpenDestination, {
    get(_, name: keyof OpenDestination) {
      const method = guard(() => open[name]);
      if (!method) return undefined;
      return (...args: unknown[]) => {
        const call = (): unknown => Reflect.apply(method, open, args);
        // What it throws or answers amiss is a failed attempt.
        if (name === 'send') return destination.isOurs ? call() : theirs(call);
        return guard(call);
      };
    },
  });
}
