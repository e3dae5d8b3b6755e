/**
 * What requests carry, out to where it is allowed, and `traceparent` in from the server that rendered the page.
 *
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 * @see https://www.w3.org/TR/baggage/#header-content
 */
import { type Context, isSpanContextValid, propagation, type SpanContext, trace } from '@opentelemetry/api';
import type { PageOptions } from '../page-options.js';
import { ofDocument } from '../platform/dom.js';
import { parseTraceparent, traceparentOf } from '../sdk/trace-context.js';

export interface Propagation {
  /** See `PageOptions`. */
  onRequest?: PageOptions['onRequest'];
  /**
   * The headers that a request to `url` may carry, by the context that it is made in: those of the app's global
   * propagator, else `traceparent`, and `tracestate` and `baggage` where there are any.
   */
  headersFor(url: URL, from: Context): Record<string, string>;
}

/** What every server takes at least. */
const MAX_BAGGAGE_CHARS = 8192;

function baggageOf(from: Context): string | undefined {
  let text = '';
  for (const [key, { value, metadata }] of propagation.getBaggage(from)?.getAllEntries() ?? []) {
    const entry = `${text && ','}${encodeURIComponent(key)}=${encodeURIComponent(value)}${metadata ? `;${metadata}` : ''}`;
    if (text.length + entry.length <= MAX_BAGGAGE_CHARS) text += entry;
  }
  return text;
}

function carriedBy(from: Context): Record<string, string> {
  const headers: Record<string, string> = {};
  const set = (name: string, value: string | undefined): void => {
    if (value) headers[name] = value;
  };
  try {
    if (propagation.fields().length) {
      propagation.inject(from, headers, { set: (_, name, value) => set(name, value) });
      return headers;
    }
    set('baggage', baggageOf(from));
  } catch {
    // Somebody's propagator, or half a character: the request goes on all the same.
  }
  const span = trace.getSpanContext(from);
  if (!span || !isSpanContextValid(span)) return {};
  set('traceparent', traceparentOf(span));
  set('tracestate', span.traceState?.serialize());
  return headers;
}

/** Whether a list of origins, exact URLs, paths of `ownOrigin` and patterns for whole URLs names one. */
export const names = (
  list: readonly (string | RegExp)[],
  { origin, href }: URL,
  ownOrigin: string,
): boolean =>
  list.some((one) =>
    // `search` and not `test`, which would go on from where a global pattern last matched.
    typeof one === 'string'
      ? one === origin || one === href || ownOrigin + one === href
      : href.search(one) >= 0,
  );

/**
 * @param allowed origins beside the page's own, exact URLs, or patterns that are tested against the whole URL.
 *   False: nobody, the page's own neither. True: everybody.
 * @param ownOrigin the page's; empty where there is none.
 */
export function createPropagation(
  allowed: readonly (string | RegExp)[] | boolean,
  ownOrigin: string = location.origin,
): Propagation {
  return {
    headersFor(url, from) {
      const isAllowed =
        allowed === true || (allowed && (url.origin === ownOrigin || names(allowed, url, ownOrigin)));
      return isAllowed ? carriedBy(from) : {};
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
  const meta = ofDocument('querySelector', scope as typeof globalThis).call(
    scope.document,
    'meta[name=traceparent]',
  ) as HTMLMetaElement | null;
  const [load] = scope.performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  const timing = load?.serverTiming?.find(({ name }) => name === 'traceparent');
  return parseTraceparent(meta?.content) ?? parseTraceparent(timing?.description);
}
