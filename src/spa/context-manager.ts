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
  readonly current: Zone;
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

function zoneVariable(zone: Zone): AsyncVariable {
  return {
    get: () => zone.current.get(ZONE_KEY) as Context | undefined,
    run: (value, task) => zone.current.fork({ name: ZONE_KEY, properties: { [ZONE_KEY]: value } }).run(task),
  };
}

/** @param scope the global object. */
export function createContextManager(
  activities: () => Pick<Activities, 'current'> | undefined,
  scope: typeof globalThis = globalThis,
): ContextManager {
  const { AsyncContext, Zone } = scope as {
    AsyncContext?: { Variable: new () => AsyncVariable };
    Zone?: Zone;
  };
  const variable = AsyncContext
    ? new AsyncContext.Variable()
    : Zone?.current
      ? zoneVariable(Zone)
      : syncVariable();
  const self: ContextManager = {
    active: () => variable.get() ?? activities()?.current?.context ?? ROOT_CONTEXT,
    with: (context, task, thisArg, ...args) =>
      variable.run(context, () => task.apply(thisArg as never, args)),
    bind: (context, target) =>
      typeof target === 'function'
        ? (function (this: unknown, ...args: unknown[]) {
            return variable.run(context, () => target.apply(this, args));
          } as typeof target)
        : target,
    enable: () => self,
    disable: () => self,
  };
  return self;
}
