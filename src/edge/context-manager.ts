/**
 * Which span is active at the edge: that of the innermost `context.with`, through awaits where there is an
 * `AsyncLocalStorage`. Elsewhere a context lasts as long as the function that was called with it.
 */
import { type Context, type ContextManager, ROOT_CONTEXT } from '@opentelemetry/api';
import { callStorage, contextManagerOf } from '../sdk/context-manager.js';
import type { AsyncStorage } from './async-storage.js';

export interface EdgeContextManager extends ContextManager {
  /** Takes a better storage than that of calls. Those under way end in their own. */
  use(better: AsyncStorage<Context>): void;
}

export function createContextManager(): EdgeContextManager {
  let storage: AsyncStorage<Context> = callStorage();
  const manager = contextManagerOf(
    () => storage.getStore() ?? ROOT_CONTEXT,
    (context, task) => storage.run(context, task),
  );
  return Object.assign(manager, {
    use(better: AsyncStorage<Context>) {
      storage = better;
    },
  });
}
