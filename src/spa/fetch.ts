/**
 * A client span for each `fetch` of the page.
 *
 * Our own rather than `@opentelemetry/instrumentation-fetch`: that one clones every response to see its end, which
 * holds streamed bodies in memory and keeps them from being cancelled (opentelemetry-js issues 4888 and 5894), and
 * it alone is a third of our size budget. A span ends when the response's headers are there; bodies are not touched.
 */
import { context, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import type { Stop } from '../platform/platform.js';
import { storedUrl } from './attributes.js';
import type { PartDeps } from './part.js';
import type { Propagation } from './propagation.js';

type Fetch = typeof globalThis.fetch;

/** Methods that the conventions know; others could be anything. */
const METHODS = /^(GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|QUERY)$/;

/**
 * Wraps `fetch` until stopped. If somebody wraps ours meanwhile, stopping leaves the chain as it is and only ends
 * the tracing.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span
 */
export function traceFetch({ tracer, guard }: PartDeps, _propagation: Propagation): Stop {
  const original = globalThis.fetch;
  let active = true;

  const traced = function (this: unknown, ...args: Parameters<Fetch>): Promise<Response> {
    const span = active ? guard(() => startSpan(tracer, ...args)) : undefined;
    if (!span) return original.apply(this, args);
    const end = (status?: number, error?: unknown): void =>
      void guard(() => {
        if (status !== undefined) span.setAttribute('http.response.status_code', status);
        if (error !== undefined || (status ?? 0) >= 400) {
          span.setAttribute('error.type', status === undefined ? nameOf(error) : String(status));
          span.setStatus({ code: SpanStatusCode.ERROR });
        }
        span.end();
      });
    try {
      const answer = context.with(trace.setSpan(context.active(), span), () => original.apply(this, args));
      // The page gets a promise that goes on from its own: a mere branch would handle the rejection, and the page's
      // `unhandledrejection` would never fire.
      const passedOn = guard(() =>
        answer.then(
          (response) => {
            end(response.status);
            return response;
          },
          (error) => {
            end(undefined, error);
            throw error;
          },
        ),
      );
      return passedOn ?? answer;
    } catch (error) {
      end(undefined, error);
      throw error;
    }
  };
  globalThis.fetch = Object.assign(traced, { __original: original });

  return () => {
    active = false;
    if ((globalThis.fetch as unknown) === traced) globalThis.fetch = original;
  };
}

function startSpan(tracer: Tracer, input: RequestInfo | URL, init?: RequestInit) {
  const request = input instanceof Request ? input : undefined;
  const asked = String(init?.method ?? request?.method ?? 'GET').toUpperCase();
  const method = METHODS.test(asked) ? asked : '_OTHER';
  const url = new URL(request?.url ?? String(input), document.baseURI);
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  return tracer.startSpan(method === '_OTHER' ? 'HTTP' : method, {
    kind: SpanKind.CLIENT,
    attributes: {
      'http.request.method': method,
      'url.full': storedUrl(url.href),
      'server.address': url.hostname,
      'server.port': port,
    },
  });
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '_OTHER');
