import type { Destination } from './destinations/destination.js';
import { flawOf } from './platform/soundness.js';

/** Why nothing can be sent from here, if that is so. The page's console is told; a server's is not, which is no page. */
export function unfit({ isNowhere }: Destination): string | undefined {
  const flaw = flawOf() ?? (isNowhere ? 'an origin' : undefined);
  const reason = flaw && `nothing is traced: ${flaw} is missing or broken`;
  if (reason && globalThis.location) console.warn(`spandrel: ${reason}`);
  return reason;
}
