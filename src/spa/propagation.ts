/**
 * `traceparent`, out to where it is allowed and in from the server that rendered the page.
 *
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
import { isSpanContextValid, type Span, type SpanContext } from '@opentelemetry/api';

export interface Propagation {
  /** The headers that a request to `url` may carry: `traceparent`, and `tracestate` where there is one. */
  headersFor(url: URL, span: Span): Record<string, string>;
}

/**
 * @param allowed origins beside the page's own: exact origins, or patterns that are tested against the whole URL.
 *   False: nobody, the page's own neither.
 * @param ownOrigin the page's.
 */
export function createPropagation(
  allowed: readonly (string | RegExp)[] | false,
  ownOrigin: string = location.origin,
): Propagation {
  return {
    headersFor({ origin, href }, span) {
      const context = span.spanContext();
      // `search` and not `test`, which would go on from where a global pattern last matched.
      const isAllowed =
        allowed &&
        (origin === ownOrigin ||
          allowed.some((one) => (typeof one === 'string' ? one === origin : href.search(one) >= 0)));
      if (!isAllowed || !isSpanContextValid(context)) return {};
      const { traceId, spanId, traceFlags, traceState } = context;
      const flags = traceFlags.toString(16).padStart(2, '0');
      const tracestate = traceState?.serialize();
      return { traceparent: `00-${traceId}-${spanId}-${flags}`, ...(tracestate ? { tracestate } : {}) };
    },
  };
}

/** Version, trace id, parent id, flags, and what later versions may add. */
const TRACEPARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;

/** @returns undefined for what the standard calls invalid. */
export function parseTraceparent(text: string | null | undefined): SpanContext | undefined {
  const [, version, traceId = '', spanId = '', flags = '', more] = TRACEPARENT.exec(text?.trim() ?? '') ?? [];
  if (version === 'ff' || (version === '00' && more)) return undefined;
  // Of the flags only `sampled` is known.
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
  return isSpanContextValid(context) ? context : undefined;
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
