/** What every context manager of ours has in common: who is active, and by what a context is kept, is the caller's. */
import type { Context, ContextManager } from '@opentelemetry/api';

/** Runs `task` with the context kept. */
export type RunWith = <R>(context: Context, task: () => R) => R;

/** Keeps a context as long as the call lasts: for runtimes that have nothing better. */
export function callStorage(): { getStore(): Context | undefined; run: RunWith } {
  let value: Context | undefined;
  return {
    getStore: () => value,
    run(next, task) {
      const before = value;
      value = next;
      try {
        return task();
      } finally {
        value = before;
      }
    },
  };
}

export function contextManagerOf(active: () => Context, run: RunWith): ContextManager {
  const self: ContextManager = {
    active,
    with: (context, task, thisArg, ...args) => run(context, () => task.apply(thisArg as never, args)),
    bind(context, target) {
      if (typeof target !== 'function') return target;
      const bound = function (this: unknown, ...args: unknown[]) {
        return run(context, () => target.apply(this, args));
      };
      // Some callers look at how many arguments a callback takes.
      return Object.defineProperty(bound, 'length', { value: target.length }) as typeof target;
    },
    enable: () => self,
    disable: () => self,
  };
  return self;
}
