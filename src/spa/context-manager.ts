/**
 * Which span is active: that of the innermost `context.with`, else the current activity.
 *
 * Where the page has `AsyncContext` or zone.js, contexts follow asynchronous code through them. Elsewhere a context
 * lasts as long as the function that was called with it; what starts after an `await` belongs to the activity.
 *
 * @see https://github.com/tc39/proposal-async-context
 */
import { type Context, type ContextManager, ROOT_CONTEXT } from '@opentelemetry/api';
import type { Activities } from './activity.js';

interface AsyncVariable {
  get(): Context | undefined;
  run<R>(value: Context, task: () => R): R;
}

/** The part of zone.js that is used. */
interface Zone {
  get(key: string): unknown;
  fork(spec: { name: string; properties: Record<string, unknown> }): Zone;
  run<R>(task: () => R): R;
}

const ZONE_KEY = 'spandrel.context';

/** A variable that lasts as long as the call, as the platform has no better one. */
function syncVariable(): AsyncVariable {
  let value: Context | undefined;
  return {
    get: () => value,
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

/** @param scope the global object. */
export function createContextManager(
  activities: () => Pick<Activities, 'current'> | undefined,
  scope: typeof globalThis = globalThis,
): ContextManager {
  const page = scope as {
    AsyncContext?: { Variable?: new () => AsyncVariable };
    Zone?: { readonly current?: Zone };
  };
  const Variable = page.AsyncContext?.Variable;
  const variable = Variable ? new Variable() : syncVariable();
  // Asked each time, as zone.js may come after us.
  const zone = (): Zone | undefined => (Variable ? undefined : page.Zone?.current);
  const run = <R>(context: Context, task: () => R): R => {
    const parent = zone();
    return parent
      ? parent.fork({ name: ZONE_KEY, properties: { [ZONE_KEY]: context } }).run(task)
      : variable.run(context, task);
  };
  const self: ContextManager = {
    active: () =>
      (zone()?.get(ZONE_KEY) as Context | undefined) ??
      variable.get() ??
      activities()?.current?.context ??
      ROOT_CONTEXT,
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
