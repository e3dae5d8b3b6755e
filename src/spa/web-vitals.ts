/** A span for each report of a web vital, in the activity that it is about. */
import type { Stop } from '../platform/platform.js';
import type { PartDeps } from './part.js';

export function traceWebVitals(_deps: PartDeps): Stop {
  return () => {};
}
