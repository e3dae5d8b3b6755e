/** How a span says that something went wrong. */
import { type Span, SpanStatusCode } from '@opentelemetry/api';
import { exceptionAttributes } from '../spa/thrown.js';

/** @param type a status code, the name of an exception, or a word of ours. */
export function fail(span: Span, type: string): void {
  span.setAttribute('error.type', type);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/**
 * Something was thrown and goes on to the runtime.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/exceptions/exceptions-spans/
 */
export function failWith(span: Span, thrown: unknown): void {
  const attributes = exceptionAttributes(thrown, {});
  span.addEvent('exception', attributes);
  fail(span, String(attributes['exception.type']));
}
