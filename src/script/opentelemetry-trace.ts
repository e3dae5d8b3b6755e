/** `trace` of OpenTelemetry's API, as far as it is used. Part of the API's stand-in. */
import type * as api from '@opentelemetry/api';
import { active } from './opentelemetry-context.js';
import { register, registered, unregister } from './opentelemetry-global.js';

const SPAN_KEY = Symbol.for('OpenTelemetry Context Key SPAN');

/** A span that is only passed on. */
export function wrapSpanContext(spanContext: api.SpanContext): api.Span {
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

const isId = (id: unknown, chars: number): boolean =>
  typeof id === 'string' && id.length === chars && /^(?!0+$)[\da-f]+$/i.test(id);
export const isValidTraceId = (id: string): boolean => isId(id, 32);
export const isValidSpanId = (id: string): boolean => isId(id, 16);
export const isSpanContextValid = ({ traceId, spanId }: api.SpanContext): boolean =>
  isValidTraceId(traceId) && isValidSpanId(spanId);

export const getSpan = (from: api.Context): api.Span | undefined =>
  (from.getValue(SPAN_KEY) as api.Span | undefined) || undefined;
export const setSpan = (on: api.Context, span: api.Span): api.Context => on.setValue(SPAN_KEY, span);
export const deleteSpan = (from: api.Context): api.Context => from.deleteValue(SPAN_KEY);
export const getActiveSpan = (): api.Span | undefined => getSpan(active());
export const getSpanContext = (from: api.Context): api.SpanContext | undefined =>
  getSpan(from)?.spanContext();
export const setSpanContext = (on: api.Context, spanContext: api.SpanContext): api.Context =>
  setSpan(on, wrapSpanContext(spanContext));

/** Its tracers become those of whoever registers later: an app asks for its own when its modules load, before its SDK. */
export function setGlobalTracerProvider(provider: api.TracerProvider): boolean {
  const lent: api.TracerProvider = {
    getTracer(...names) {
      const ours = provider.getTracer(...names);
      let theirs: api.Tracer | undefined;
      const tracer = (): api.Tracer => {
        const now = registered()?.trace ?? lent;
        if (now !== lent) theirs ??= now.getTracer(...names);
        return theirs ?? ours;
      };
      return {
        startSpan: (...args) => tracer().startSpan(...args),
        startActiveSpan: (...args: unknown[]) =>
          (tracer().startActiveSpan as (...all: unknown[]) => never)(...args),
      };
    },
  };
  return register('trace', lent);
}

export const disable = (): void => unregister('trace');
