/** A span for each frame or task that kept the main thread too long. */
import type { Stop } from '../platform/platform.js';
import type { PartDeps } from './part.js';

export function traceLongFrames(_deps: PartDeps): Stop {
  return () => {};
}
