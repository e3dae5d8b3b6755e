/**
 * Which span is active at the edge: that of the innermost `context.with`, through awaits where there is an
 * `AsyncLocalStorage`. Elsewhere a context lasts as long as the function that was called with it.
 */
import { type Context, type ContextManager, ROOT_CONTEXT } from '@opentelemetry/api';
import type { AsyncStorage } from './async-storage.js';

/** Lasts as long as the call. */
function callStorage(): AsyncStorage<Context> {
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

export interface EdgeContextManager extends ContextManager {
  /** Takes a better storage than that of calls. Those under way end in their own. */
  use(better: AsyncStorage<Context>): void;
}

export function createContextManager(): EdgeContextManager {
  let storage = callStorage();
  const self: EdgeContextManager = {
    use(better) {
      storage = better;
    },
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (context, task, thisArg, ...args) => storage.run(context, () => task.apply(thisArg as never, args)),
    bind(context, target) {
      if (typeof target !== 'function') return target;
      const bound = function (this: unknown, ...args: unknown[]) {
        return storage.run(context, () => target.apply(this, args));
      };
      // Some callers look at how many arguments a callback takes.
      return Object.defineProperty(bound, 'length', { value: target.length }) as typeof target;
    },
    enable: () => self,
    disable: () => self,
  };
  return self;
}
