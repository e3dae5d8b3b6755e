/**
 * The clock of a page's traces. Moments are monotonic; what they are by the wall clock is settled anew for each trace,
 * and then holds for all of it, as a wall clock may be set at any time and a monotonic one may stop while the machine
 * sleeps.
 *
 * @see https://github.com/w3c/hr-time/issues/115
 */
export interface PageClock {
  /** Milliseconds since the page began (`performance.now()`), with fractions. */
  now(): number;
  /** Epoch milliseconds of such a moment, as the latest trace counts them. */
  wall(moment: number): number;
  /** A trace begins: settles what the wall clock is, for it and for {@link wall}. */
  anchor(): (moment: number) => number;
  /** Tells how many milliseconds have passed, by whichever clock says more: a machine that slept was away. */
  stopwatch(): () => number;
}

/** @param scope the global object. */
export function createPageClock(scope: typeof globalThis = globalThis): PageClock {
  const now = (): number => scope.performance?.now() ?? 0;
  let wall: (moment: number) => number;
  const anchor = (): typeof wall => {
    const offset = scope.Date.now() - now();
    wall = (moment) => moment + offset;
    return wall;
  };
  anchor();
  return {
    now,
    wall: (moment) => wall(moment),
    anchor,
    stopwatch() {
      const from = now();
      const wallFrom = scope.Date.now();
      return () => Math.max(now() - from, scope.Date.now() - wallFrom);
    },
  };
}
