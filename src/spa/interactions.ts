/** Begins an activity for each interaction that leads to work. */
import type { Stop } from '../platform/platform.js';
import type { PartDeps } from './part.js';

export function traceInteractions(_deps: PartDeps): Stop {
  return () => {};
}
