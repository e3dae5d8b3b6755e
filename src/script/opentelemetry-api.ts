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
import { traceStateOf } from '../sdk/trace-state.js';
import { registered } from './opentelemetry-global.js';

// Namespaces, as the bundler sees through them to what is used.
export * as context from './opentelemetry-context.js';
export { ROOT_CONTEXT } from './opentelemetry-context.js';
export * as propagation from './opentelemetry-propagation.js';
export * as trace from './opentelemetry-trace.js';
export { isSpanContextValid, isValidSpanId, isValidTraceId } from './opentelemetry-trace.js';

export const createContextKey = (description: string): symbol => Symbol.for(description);

export const TraceFlags = { NONE: 0, SAMPLED: 1 } as const;
export const SpanKind = { INTERNAL: 0, SERVER: 1, CLIENT: 2, PRODUCER: 3, CONSUMER: 4 } as const;
export const SpanStatusCode = { UNSET: 0, OK: 1, ERROR: 2 } as const;
export const SamplingDecision = { NOT_RECORD: 0, RECORD: 1, RECORD_AND_SAMPLED: 2 } as const;
export const INVALID_SPAN_CONTEXT: api.SpanContext = {
  traceId: '0'.repeat(32),
  spanId: '0'.repeat(16),
  traceFlags: 0,
};

/** Empty: nothing of ours reads one from text. */
export const createTraceState = (): api.TraceState => traceStateOf(new Map());

export const diag: Pick<api.DiagLogger, 'warn'> = {
  warn: (message, ...details) => registered()?.diag?.warn(message, ...details),
};
