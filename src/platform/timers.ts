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
  after(millis: number, task: () => void): Stop;
  /** Ends those under way, and sets no more. */
  close(): void;
}

const nothing: Stop = () => {};

export function createTimers(onException: (error: unknown) => void): Timers {
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
    later: (millis, task) =>
      begun(task, (run) => {
        const timer = setTimeout(run, millis);
        return () => clearTimeout(timer);
      }),
    after: (millis, task) => (closed ? nothing : self.later(millis, self.guarded(task))),
    close() {
      closed = true;
      for (const end of endings) end();
    },
  };
  return self;
}
