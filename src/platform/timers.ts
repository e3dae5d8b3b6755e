/** Timers that end together, and whose exceptions reach nobody else. */
import type { Stop } from './platform.js';

export interface Timers {
  /** `task` with its exceptions caught and told. */
  guarded<A extends unknown[]>(task: (...args: A) => void): (...args: A) => void;
  /** `begin` sets a timer of any kind for what it is given, and returns what clears it. Nothing once closed. */
  once(task: () => void, begin: (run: () => void) => Stop): Stop;
  /** Runs `task` once, `millis` from now, even once closed: what it throws is the caller's. */
  later(millis: number, task: () => void): Stop;
  /** As {@link later}, guarded, and nothing once closed. */
  after(millis: number, task: () => void, isAwaited?: boolean): Stop;
  /** Ends those under way, and sets no more. */
  close(): void;
}

const nothing: Stop = () => {};

/** @param isIdle whether nobody waits for these timers but whom {@link Timers.after} names: Node ends before them. */
export function createTimers(onException: (error: unknown) => void, isIdle = false): Timers {
  /** What ends the timers under way. */
  const endings = new Set<Stop>();
  let closed = false;

  const begun = (task: () => void, begin: (run: () => void) => Stop): Stop => {
    const stop = (): void => {
      clear();
      endings.delete(stop);
    };
    const clear = begin(() => {
      endings.delete(stop);
      task();
    });
    endings.add(stop);
    return stop;
  };

  function timer(millis: number, task: () => void, isAwaited = !isIdle): Stop {
    return begun(task, (run) => {
      const handle: { unref?(): void } | number = setTimeout(run, millis);
      if (!isAwaited) (handle as { unref?(): void }).unref?.();
      return () => clearTimeout(handle as number);
    });
  }

  const self: Timers = {
    guarded:
      (task) =>
      (...args) => {
        try {
          task(...args);
        } catch (error) {
          onException(error);
        }
      },
    once: (task, begin) => (closed ? nothing : begun(task, begin)),
    later: timer,
    after: (millis, task, isAwaited) => (closed ? nothing : timer(millis, self.guarded(task), isAwaited)),
    close() {
      closed = true;
      for (const end of endings) end();
    },
  };
  return self;
}
