/**
 * `traceparent`, out to where it is allowed and in from the server that rendered the page.
 *
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
import { isSpanContextValid, type Span, type SpanContext } from '@opentelemetry/api';
import { parseTraceparent, traceparentOf } from '../sdk/trace-context.js';

export interface Propagation {
  /** The headers that a request to `url` may carry: `traceparent`, and `tracestate` where there is one. */
  headersFor(url: URL, span: Span): Record<string, string>;
}

/**
 * @param allowed origins beside the page's own: exact origins, or patterns that are tested against the whole URL.
 *   False: nobody, the page's own neither. True: everybody.
 * @param ownOrigin the page's; empty where there is none.
 */
export function createPropagation(
  allowed: readonly (string | RegExp)[] | boolean,
  ownOrigin: string = location.origin,
): Propagation {
  return {
    headersFor({ origin, href }, span) {
      const context = span.spanContext();
      // `search` and not `test`, which would go on from where a global pattern last matched.
      const isAllowed =
        allowed === true ||
        (allowed &&
          (origin === ownOrigin ||
            allowed.some((one) => (typeof one === 'string' ? one === origin : href.search(one) >= 0))));
      if (!isAllowed || !isSpanContextValid(context)) return {};
      const tracestate = context.traceState?.serialize();
      return { traceparent: traceparentOf(context), ...(tracestate ? { tracestate } : {}) };
    },
  };
}

/**
 * The server's span that this page load continues: from `<meta name="traceparent">`, else from `Server-Timing`.
 *
 * @param scope the global object.
 */
export function serverParent(
  scope: Pick<typeof globalThis, 'document' | 'performance'> = globalThis,
): SpanContext | undefined {
  const meta = scope.document.querySelector<HTMLMetaElement>('meta[name=traceparent]');
  const [load] = scope.performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  const timing = load?.serverTiming?.find(({ name }) => name === 'traceparent');
  return parseTraceparent(meta?.content) ?? parseTraceparent(timing?.description);
}
