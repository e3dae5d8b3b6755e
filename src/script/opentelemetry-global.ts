/** Where all copies of OpenTelemetry's API on a page meet. Part of the API's stand-in. */
import type * as api from '@opentelemetry/api';

/** One place for all copies of the API's first major version. */
const GLOBAL = Symbol.for('opentelemetry.js.api.1');
/** Copies that are older than what is registered use it; others do not. */
export const API_VERSION = '1.9.1';

interface Registered {
  version: string;
  trace?: api.TracerProvider;
  context?: api.ContextManager;
  diag?: api.DiagLogger;
}
type Scope = { [GLOBAL]?: Registered };

export const registered = (): Registered | undefined => (globalThis as Scope)[GLOBAL];

/** @returns false when there is one already, or a copy of another version has registered something. */
export function register<K extends 'trace' | 'context'>(
  name: K,
  instance: NonNullable<Registered[K]>,
): boolean {
  const all: Registered = registered() ?? { version: API_VERSION };
  (globalThis as Scope)[GLOBAL] = all;
  if (all[name] || all.version !== API_VERSION) return false;
  (all as unknown as Record<string, unknown>)[name] = instance;
  return true;
}
