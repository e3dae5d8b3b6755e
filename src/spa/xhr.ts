/** A client span for each `XMLHttpRequest` of the page. */
import type { Stop } from '../platform/platform.js';
import type { PartDeps } from './part.js';
import type { Propagation } from './propagation.js';

export function traceXhr(_deps: PartDeps, _propagation: Propagation): Stop {
  return () => {};
}
