/** A span for each resource that an activity after the page load fetched. */
import type { Stop } from '../platform/platform.js';
import type { PartDeps } from './part.js';

export function traceResources(_deps: PartDeps): Stop {
  return () => {};
}
