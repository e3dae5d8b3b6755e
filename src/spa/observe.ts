/** Performance entries, for the parts that make spans of them. */
import type { Stop } from '../platform/platform.js';
import type { Activity } from './activity.js';
import type { PartDeps } from './part.js';

/**
 * Calls `handle` for each entry of a type that there is or will be. What the browser has not told yet is asked for
 * before activities end: a busy Firefox tells of a resource seconds after it was there.
 */
export function observeEntries<E extends PerformanceEntry>(
  { activities, guard, onPage }: Pick<PartDeps, 'activities' | 'guard' | 'onPage'>,
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
  const ask = (): void => take(() => observer.takeRecords());
  const stops = [onPage(ask), activities.beforeQuiet(ask)];
  return () => {
    observer.disconnect();
    for (const stop of stops) stop();
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
