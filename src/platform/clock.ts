/** One clock for a page's spans: the monotonic one, anchored to the wall, so that what follows in time never precedes. */
export interface PageClock {
  /** Milliseconds since the page began (`performance.now()`), with fractions. */
  now(): number;
  /** Epoch milliseconds of such a moment. */
  wall(moment: number): number;
}

/** @param scope the global object. */
export function createPageClock(scope: typeof globalThis = globalThis): PageClock {
  const { performance } = scope;
  const offset = scope.Date.now() - performance.now();
  return {
    now: () => performance.now(),
    wall: (moment) => moment + offset,
  };
}
