/** Adaptive sampling: the fuller what waits, the fewer traces are kept. */
import type { Stats } from '../diagnostics/stats.js';

export interface PressureDeps {
  monotonic(): number;
  stats(): Stats;
}

export interface PressureLimits {
  maxBufferedSpans: number;
  maxOutboxBlobs: number;
  maxOutboxBytes: number;
}

/** Filled up to this share, 1 trace in so many is kept; above the last, 1 in {@link LEAST}. Powers of two. */
const STEPS = [
  [0.25, 1],
  [0.5, 32],
  [0.75, 64],
] as const;
const LEAST = 128;
/** Stats are a copy of everything. */
const LOOK_MILLIS = 1_000;

/** @returns a function to ask of each trace: the share that is kept now, or 0 when this one is not. */
export function createPressure({ monotonic, stats }: PressureDeps, limits: PressureLimits): () => number {
  let lookedAtMillis = Number.NEGATIVE_INFINITY;
  let oneIn = 1;
  let asked = 0;
  return () => {
    const now = monotonic();
    if (now - lookedAtMillis >= LOOK_MILLIS) {
      lookedAtMillis = now;
      const { blobs, bytes, buffer } = stats();
      const fullest = Math.max(
        blobs.waiting / limits.maxOutboxBlobs,
        bytes.waiting / limits.maxOutboxBytes,
        buffer.spans / limits.maxBufferedSpans,
      );
      oneIn = STEPS.find(([filled]) => fullest <= filled)?.[1] ?? LEAST;
    }
    return asked++ & (oneIn - 1) ? 0 : 1 / oneIn;
  };
}
