import type { Stop } from '../platform/platform.js';
import type { EventSpans } from './event-spans.js';
import { matches } from './names.js';
import type { Payload } from './options.js';

export interface PerformanceSourceOptions {
  /** Names of marks and measures that are taken; a `*` at the end stands for any. Default: all. */
  names?: readonly string[];
  /** The global object. For tests. */
  scope?: { PerformanceObserver?: unknown };
}

type Detailed = PerformanceEntry & { detail?: unknown };

/**
 * Handles `performance.mark()` under the mark's name, and makes an operation of each `performance.measure()`; the
 * payload is the entry's `detail`. Those made before are handled as well.
 *
 * The browser tells of them a little later, in a task of its own; their times are those of the entries. What it has not
 * told yet when the session is finalized, or when this is stopped, is asked for.
 *
 * @returns a function that ends it. Nothing happens where there is no `PerformanceObserver`. Never throws.
 */
export function fromPerformance(
  spans: EventSpans,
  { names = ['*'], scope = globalThis }: PerformanceSourceOptions = {},
): Stop {
  const take = (entries: PerformanceEntryList): void => {
    for (const entry of entries as Detailed[]) {
      if (!names.some((name) => matches(name, entry.name))) continue;
      const { name, startTime, duration, entryType } = entry;
      const payload = payloadOf(entry);
      if (entryType === 'mark') spans.handle(name, payload, spans.wall(startTime));
      else spans.record(name, payload, spans.wall(startTime), spans.wall(startTime + duration));
    }
  };
  try {
    const Observer = scope.PerformanceObserver as typeof PerformanceObserver;
    const observer = new Observer((list) => take(list.getEntries()));
    const drain = (): void => take(observer.takeRecords());
    for (const type of ['mark', 'measure']) observer.observe({ type, buffered: true });
    const stopDraining = spans.onFinalize(drain);
    return () => {
      stopDraining();
      drain();
      observer.disconnect();
    };
  } catch {
    return () => {};
  }
}

/** A `detail` may be of any kind; a plain value is better than none. */
function payloadOf({ detail }: Detailed): Payload | undefined {
  if (detail === undefined || detail === null) return undefined;
  return typeof detail === 'object' && !Array.isArray(detail) ? detail : { detail };
}
