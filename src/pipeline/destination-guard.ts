/** A destination may be anybody's: whatever it throws reaches neither the host nor another destination. */

import type { Destination, DestinationDeps, OpenDestination } from '../destinations/destination.js';
import type { Outcome } from './model.js';

/** Opens `destination`. What it throws is counted; what it cannot open is never ready. */
export function openGuarded(destination: Destination, deps: DestinationDeps): OpenDestination {
  const { guard, exception, theirs } = deps.diagnostics;
  const open = guard(() => destination.open(deps));
  return {
    warmUp: () => guard(() => open?.warmUp()),
    ready: (blob) => guard(() => open?.ready(blob)) === true,
    // What it throws or answers amiss becomes a rejection: a failed attempt.
    async send(blob, mode) {
      if (!open) return { status: 'unready' };
      const send = (): Promise<Outcome> => open.send(blob, mode);
      const outcome = await (destination.isOurs ? send() : theirs(send));
      if (typeof outcome?.status !== 'string') throw new TypeError('a destination answered with no outcome');
      return outcome;
    },
    remembered: (name, value) => guard(() => open?.remembered?.(name, value)),
    reserve: (...what) => guard(() => open?.reserve?.(...what)),
    unreserve: (claim) => guard(() => open?.unreserve?.(claim)),
    defer: (blob, claim) => guard(() => open?.defer?.(blob, claim)),
    leave: () => guard(() => open?.leave()),
    async settle() {
      try {
        await open?.settle();
      } catch (error) {
        exception(error);
      }
    },
    close: () => guard(() => open?.close()),
  };
}
