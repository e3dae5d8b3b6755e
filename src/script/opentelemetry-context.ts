/** `context` of OpenTelemetry's API, as far as it is used. Part of the API's stand-in. */
import type * as api from '@opentelemetry/api';
import { own, register, registered, unregister } from './opentelemetry-global.js';

type ContextAPI = api.ContextAPI;

function contextOf(values: Map<symbol, unknown>): api.Context {
  return {
    getValue: (key) => values.get(key),
    setValue: (key, value) => contextOf(new Map(values).set(key, value)),
    deleteValue(key) {
      const others = new Map(values);
      others.delete(key);
      return contextOf(others);
    },
  };
}

export const ROOT_CONTEXT: api.Context = contextOf(new Map());

/** Others' before ours. Ours where there is none, though an app with tracers of its own does not see it. */
const manager = (): api.ContextManager | undefined => registered()?.context ?? own.context;

export const active = (): api.Context => manager()?.active() ?? ROOT_CONTEXT;

const run: ContextAPI['with'] = (value, task, self, ...args) => {
  const found = manager();
  return found ? found.with(value, task, self, ...args) : task.apply(self as never, args);
};

export { run as with };

export const bind: ContextAPI['bind'] = (value, target) => manager()?.bind(value, target) ?? target;

export const setGlobalContextManager = (manager: api.ContextManager): boolean => register('context', manager);

export const disable = (): void => unregister('context');
