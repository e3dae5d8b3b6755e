import { context, createContextKey } from '@opentelemetry/api';

/** The key by which OpenTelemetry's instrumentations know that a request is telemetry's own. */
const SUPPRESS_TRACING = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

/** Runs `task` so that what it begins in this task makes no spans: else the way of the spans would make more of them. */
export function untraced<T>(task: () => T): T {
  return context.with(context.active().setValue(SUPPRESS_TRACING, true), task);
}
