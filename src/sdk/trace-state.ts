import type { TraceState } from '@opentelemetry/api';

/** @param entries the newest first. What this one says is valid, its owner knows. */
export function traceStateOf(entries: ReadonlyMap<string, string>): TraceState {
  const without = (key: string): Map<string, string> => {
    const others = new Map(entries);
    others.delete(key);
    return others;
  };
  return {
    get: (key) => entries.get(key),
    set: (key, value) => traceStateOf(new Map([[key, value], ...without(key)])),
    unset: (key) => traceStateOf(without(key)),
    serialize: () => [...entries].map((entry) => entry.join('=')).join(),
  };
}
