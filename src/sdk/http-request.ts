/**
 * The client span of one HTTP request: what the page's `fetch` and `XMLHttpRequest` and the edge's `fetch` have in
 * common.
 *
 * `network.protocol.version` and body sizes are left out: they are known only after the body, and a span that waits for
 * them is lost when the page leaves (opentelemetry-js issue 4683).
 *
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span
 */
import {
  type Attributes,
  type Context,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TimeInput,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { TracedRequest } from '../page-options.js';

export interface HttpRequest {
  /** Has the request's span as the active one. */
  readonly context: Context;
  /** What the request shall carry: `traceparent`, say, or nothing. */
  readonly headers: Record<string, string>;
  /**
   * @param status 0 when it may not be known, or there was no answer.
   * @param error what went wrong: the name of an exception or an event; `abort` when the host wanted no answer.
   * @param answer what was answered, if it was.
   */
  end(status: number, error?: string, answer?: Response | XMLHttpRequest): void;
}

/** Begins a request's span; undefined for what is no request over HTTP, or not the host's. */
export type BeginRequest = (method: string, address: string) => HttpRequest | undefined;

export interface HttpRequestDeps {
  readonly tracer: Tracer;
  /** Undefined where there is no such address, or the request is one of ours. */
  resolve(address: string): URL | undefined;
  /** What `url.full` says. */
  stored(url: URL): string;
  parent(): Context;
  headersFor(url: URL, from: Context): Record<string, string>;
  /** Hears of each, just before its span ends. Throws nothing. */
  over?: ((span: Span, request: TracedRequest) => void) | undefined;
  /** Default: the span's own clock. */
  now?(): TimeInput;
}

/** Methods that the conventions know; others could be anything. */
const METHODS = /^(GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|QUERY)$/;

/** The method as the conventions write it; undefined for others. */
export function knownMethod(asked: string): string | undefined {
  const upper = asked.toUpperCase();
  return METHODS.test(upper) ? upper : undefined;
}

export function requestTracing(deps: HttpRequestDeps): BeginRequest {
  const { tracer } = deps;

  return (asked, address) => {
    const url = deps.resolve(address);
    // Of others a `data:` URL would be the worst: its address is its content.
    if (!url || !/^https?:$/.test(url.protocol)) return undefined;
    const method = knownMethod(asked);
    const attributes: Attributes = {
      'http.request.method': method ?? '_OTHER',
      'url.full': deps.stored(url),
      'server.address': url.hostname,
      'server.port': Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
    };
    if (method !== asked) attributes['http.request.method_original'] = asked;
    const parent = deps.parent();
    const startTime = deps.now?.();
    const options = { kind: SpanKind.CLIENT, attributes, ...(startTime !== undefined && { startTime }) };
    const span = tracer.startSpan(method ?? 'HTTP', options, parent);
    const context = trace.setSpan(parent, span);
    return {
      context,
      headers: deps.headersFor(url, context),
      end(status, error = status >= 400 ? String(status) : undefined, answer = undefined) {
        if (status) span.setAttribute('http.response.status_code', status);
        // To have stopped it is no error, and has no `error.type` (open-telemetry/semantic-conventions pull 3494).
        if (error === 'abort') span.setAttribute('spandrel.aborted', true);
        else if (error) {
          span.setAttribute('error.type', error);
          span.setStatus({ code: SpanStatusCode.ERROR });
        }
        if (span.isRecording())
          deps.over?.(span, { method: asked, url, answer: status ? answer : undefined });
        span.end(deps.now?.());
      },
    };
  };
}

/** What `error.type` says of something thrown. */
export const nameOf = (error: unknown): string => String((error as Error | undefined)?.name ?? '_OTHER');
