/** `traceparent`, out to where it is allowed and in from the server that rendered the page. */
import type { Span, SpanContext } from '@opentelemetry/api';

export interface Propagation {
  /** The headers that a request to `url` may carry: `traceparent`, and `tracestate` where there is one. */
  headersFor(url: URL, span: Span): Record<string, string>;
}

/** @param allowed origins beside the page's own: exact origins, or patterns that are tested against the whole URL. */
export function createPropagation(_allowed: readonly (string | RegExp)[]): Propagation {
  return { headersFor: () => ({}) };
}

/** The server's span that this page load continues: from `<meta name="traceparent">`, else from `Server-Timing`. */
export function serverParent(): SpanContext | undefined {
  return undefined;
}
