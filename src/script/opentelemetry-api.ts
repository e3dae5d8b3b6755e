/**
 * Stands for `@opentelemetry/api` in the script tag's file: what our modules use of it, no more.
 *
 * The package is 2.7 kB there (Brotli), most of it no-op meters, proxies and loggers that a closed file never reaches.
 * What other copies of the API on the page see is the same: providers and context managers are registered where the
 * package registers them, and contexts hold spans under the package's keys. Tested against the package.
 *
 * @see https://github.com/open-telemetry/opentelemetry-js/tree/main/api
 */
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

const registered = (): Registered | undefined => (globalThis as Scope)[GLOBAL];

/** @returns false when there is one already, or a copy of another version has registered something. */
function register<K extends 'trace' | 'context'>(name: K, instance: NonNullable<Registered[K]>): boolean {
  const all: Registered = registered() ?? { version: API_VERSION };
  (globalThis as Scope)[GLOBAL] = all;
  if (all[name] || all.version !== API_VERSION) return false;
  (all as unknown as Record<string, unknown>)[name] = instance;
  return true;
}

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
export const createContextKey = (description: string): symbol => Symbol.for(description);

const SPAN_KEY = createContextKey('OpenTelemetry Context Key SPAN');

export const context: Pick<
  api.ContextAPI,
  'active' | 'with' | 'bind' | 'setGlobalContextManager' | 'disable'
> = {
  active: () => registered()?.context?.active() ?? ROOT_CONTEXT,
  with(value, task, self, ...args) {
    const manager = registered()?.context;
    return manager ? manager.with(value, task, self, ...args) : task.apply(self as never, args);
  },
  bind: (value, target) => registered()?.context?.bind(value, target) ?? target,
  setGlobalContextManager: (manager) => register('context', manager),
  disable() {
    registered()?.context?.disable();
    delete registered()?.context;
  },
};

/** A span that is only passed on. */
function wrapSpanContext(spanContext: api.SpanContext): api.Span {
  const same = (): api.Span => span;
  const span: api.Span = {
    spanContext: () => spanContext,
    isRecording: () => false,
    setAttribute: same,
    setAttributes: same,
    addEvent: same,
    addLink: same,
    addLinks: same,
    setStatus: same,
    updateName: same,
    recordException() {},
    end() {},
  };
  return span;
}

export const TraceFlags = { NONE: 0, SAMPLED: 1 } as const;
export const SpanKind = { INTERNAL: 0, SERVER: 1, CLIENT: 2, PRODUCER: 3, CONSUMER: 4 } as const;
export const SpanStatusCode = { UNSET: 0, OK: 1, ERROR: 2 } as const;
export const SamplingDecision = { NOT_RECORD: 0, RECORD: 1, RECORD_AND_SAMPLED: 2 } as const;
export const INVALID_SPAN_CONTEXT: api.SpanContext = {
  traceId: '0'.repeat(32),
  spanId: '0'.repeat(16),
  traceFlags: TraceFlags.NONE,
};

function stateOf(entries: ReadonlyMap<string, string>): api.TraceState {
  const without = (key: string): Map<string, string> => {
    const others = new Map(entries);
    others.delete(key);
    return others;
  };
  return {
    get: (key) => entries.get(key),
    set: (key, value) => stateOf(new Map([[key, value], ...without(key)])),
    unset: (key) => stateOf(without(key)),
    serialize: () => Array.from(entries, (entry) => entry.join('=')).join(),
  };
}

/** Empty: nothing of ours reads one from text. */
export const createTraceState = (): api.TraceState => stateOf(new Map());

const isId = (id: unknown, chars: number): boolean =>
  typeof id === 'string' && id.length === chars && /^(?!0+$)[\da-f]+$/i.test(id);
export const isValidTraceId = (id: string): boolean => isId(id, 32);
export const isValidSpanId = (id: string): boolean => isId(id, 16);
export const isSpanContextValid = ({ traceId, spanId }: api.SpanContext): boolean =>
  isValidTraceId(traceId) && isValidSpanId(spanId);

const getSpan = (from: api.Context): api.Span | undefined =>
  (from.getValue(SPAN_KEY) as api.Span | undefined) || undefined;
const setSpan = (on: api.Context, span: api.Span): api.Context => on.setValue(SPAN_KEY, span);

export const trace: Omit<
  api.TraceAPI,
  'getTracer' | 'getTracerProvider' | keyof { _proxyTracerProvider: unknown }
> = {
  getSpan,
  setSpan,
  wrapSpanContext,
  isSpanContextValid,
  deleteSpan: (from) => from.deleteValue(SPAN_KEY),
  getActiveSpan: () => getSpan(context.active()),
  getSpanContext: (from) => getSpan(from)?.spanContext(),
  setSpanContext: (on, spanContext) => setSpan(on, wrapSpanContext(spanContext)),
  setGlobalTracerProvider: (provider) => register('trace', provider),
  disable() {
    delete registered()?.trace;
  },
};

export const diag: Pick<api.DiagLogger, 'warn'> = {
  warn: (message, ...details) => registered()?.diag?.warn(message, ...details),
};
