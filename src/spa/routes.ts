/** Begins an activity for each change of route, and for each return from the bfcache. */
import type { Stop } from '../platform/platform.js';
import type { PartDeps } from './part.js';

export function traceRoutes(_deps: PartDeps): Stop {
  return () => {};
}
