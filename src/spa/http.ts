/**
 * The client span of one HTTP request: what `fetch` and `XMLHttpRequest` have in common.
 *
 * `network.protocol.version` and body sizes are left out: resource timing knows them only after the body, and a span
 * that waits for them is lost when the page leaves (opentelemetry-js issue 4683).
 *
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span
 */
import { type Attributes, type Context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { storedUrl } from './attributes.js';
import type { PartDeps } from './part.js';
import type { Propagation } from './propagation.js';

export interface HttpRequest {
  /** Has the request's span as the active one. */
  readonly context: Context;
  /** What the request shall carry; see {@link Propagation.headersFor}. */
  readonly headers: Record<string, string>;
  /**
   * @param status 0 when the page may not know it, or there was no answer.
   * @param error what went wrong: the name of an exception or an event; `abort` when the page wanted no answer.
   */
  end(status: number, error?: string): void;
}

/** Begins a request's span; undefined for what is no request over HTTP, or one of ours. */
export type BeginRequest = (method: string, address: string) => HttpRequest | undefined;

/** Methods that the conventions know; others could be anything. */
const METHODS = /^(GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|QUERY)$/;

function parse(address: string): URL | undefined {
  try {
    return new URL(address, document.baseURI);
  } catch {
    // The page's mistake, which it is told by the function that it called.
    return undefined;
  }
}

export function requestTracing(deps: PartDeps, propagation: Propagation): BeginRequest {
  const { tracer, activities, clock, platform } = deps;
  const now = (): number => clock.wall(clock.now());

  return (asked, address) => {
    const url = parse(address);
    // Of others a `data:` URL would be the worst: its address is its content.
    if (!url || !/^https?:$/.test(url.protocol) || platform.isOwnRequest(url.href)) return undefined;
    const upper = asked.toUpperCase();
    const method = METHODS.test(upper) ? upper : undefined;
    const attributes: Attributes = {
      'http.request.method': method ?? '_OTHER',
      'url.full': storedUrl(url.href),
      'server.address': url.hostname,
      'server.port': Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
    };
    if (method !== asked) attributes['http.request.method_original'] = asked;
    const parent = activities.parent();
    const options = { kind: SpanKind.CLIENT, startTime: now(), attributes };
    const span = tracer.startSpan(method ?? 'HTTP', options, parent);
    return {
      context: trace.setSpan(parent, span),
      headers: propagation.headersFor(url, span),
      end(status, error = status >= 400 ? String(status) : undefined) {
        if (status) span.setAttribute('http.response.status_code', status);
        // To have stopped it is no error, and has no `error.type` (open-telemetry/semantic-conventions pull 3494).
        if (error === 'abort') span.setAttribute('spandrel.aborted', true);
        else if (error) {
          span.setAttribute('error.type', error);
          span.setStatus({ code: SpanStatusCode.ERROR });
        }
        span.end(now());
      },
    };
  };
}

/** What `error.type` says of something thrown. */
export const nameOf = (error: unknown): string => String((error as Error | undefined)?.name ?? '_OTHER');
