/**
 * Which span is active: that of the innermost `context.with`, else the current activity.
 *
 * Where the page has `AsyncContext` or zone.js, contexts follow asynchronous code through them. Elsewhere a context
 * lasts as long as the function that was called with it; what starts after an `await` belongs to the activity.
 *
 * @see https://github.com/tc39/proposal-async-context
 */
import { type Context, type ContextManager, ROOT_CONTEXT } from '@opentelemetry/api';
import { ownGlobal } from '../platform/dom.js';
import { callStorage, contextManagerOf, type RunWith } from '../sdk/context-manager.js';
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

/** @param scope the global object. */
export function createContextManager(
  activities: () => Pick<Activities, 'current'> | undefined,
  scope: typeof globalThis = globalThis,
): ContextManager {
  const Variable = ownGlobal<{ Variable?: new () => AsyncVariable }>('AsyncContext', scope)?.Variable;
  const calls = callStorage();
  const variable: AsyncVariable = Variable ? new Variable() : { get: calls.getStore, run: calls.run };
  // Asked each time, as zone.js may come after us.
  const zone = (): Zone | undefined =>
    Variable ? undefined : ownGlobal<{ readonly current?: Zone }>('Zone', scope)?.current;
  const run: RunWith = (context, task) => {
    const parent = zone();
    return parent
      ? parent.fork({ name: ZONE_KEY, properties: { [ZONE_KEY]: context } }).run(task)
      : variable.run(context, task);
  };
  return contextManagerOf(
    () =>
      (zone()?.get(ZONE_KEY) as Context | undefined) ??
      variable.get() ??
      activities()?.current?.context ??
      ROOT_CONTEXT,
    run,
  );
}
