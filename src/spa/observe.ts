/** Performance entries, for the parts that make spans of them. */
import type { Stop } from '../platform/platform.js';
import type { Activity } from './activity.js';
import type { PartDeps } from './part.js';

/**
 * Calls `handle` for each entry of a type that there is or will be. What the browser has not told yet when the page
 * hides is asked for, before activities end.
 */
export function observeEntries<E extends PerformanceEntry>(
  { guard, onPage }: Pick<PartDeps, 'guard' | 'onPage'>,
  type: string,
  handle: (entry: E) => unknown,
  options: { durationThreshold?: number } = {},
): Stop {
  const take = (entries: () => PerformanceEntryList): void =>
    void guard(() => {
      for (const entry of entries()) handle(entry as E);
    });
  const observer = new PerformanceObserver((list) => take(() => list.getEntries()));
  observer.observe({ type, buffered: true, ...options } as PerformanceObserverInit);
  const stop = onPage(() => take(() => observer.takeRecords()));
  return () => {
    observer.disconnect();
    stop();
  };
}

/** Whether an activity may have one more; how many it may not have, its root says under `name`. */
export function createQuota(limit: number, name: string): (activity: Activity) => boolean {
  const counts = new WeakMap<Activity, number>();
  return (activity) => {
    const count = (counts.get(activity) ?? 0) + 1;
    counts.set(activity, count);
    if (count > limit && activity.endedAt === undefined) activity.root.setAttribute(name, count - limit);
    return count <= limit;
  };
}
