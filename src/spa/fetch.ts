/**
 * A client span for each `fetch` of the page.
 *
 * Our own rather than `@opentelemetry/instrumentation-fetch`: that one clones every response to see its end, which
 * holds streamed bodies in memory and keeps them from being cancelled (opentelemetry-js issues 4888 and 5894), ends its
 * spans 300 ms late, so that a page that leaves loses them (4683), writes headers into the page's own `Request`, and is
 * three times as large; `npm run bench instrumentation` has the figures. A span ends when the response's headers are
 * there; bodies are not touched.
 */
import { context } from '@opentelemetry/api';
import type { Stop } from '../platform/platform.js';
import { nameOf, requestTracing } from './http.js';
import type { PartDeps } from './part.js';
import { patch } from './patch.js';
import type { Propagation } from './propagation.js';

type Fetch = typeof globalThis.fetch;

export function traceFetch(deps: PartDeps, propagation: Propagation): Stop {
  const { guard } = deps;
  const begin = requestTracing(deps, propagation);

  return patch<Fetch>(globalThis, 'fetch', (original, self, args) => {
    const [input, init] = args;
    const traced = guard(() => {
      const text = String(input);
      // By its tag, as it may be another frame's.
      const given = text === '[object Request]' ? (input as Request) : undefined;
      const request = begin(String(init?.method ?? given?.method ?? 'GET'), given?.url ?? text);
      return request && { request, given, passed: withHeaders(args, given, request.headers) };
    });
    if (!traced) return Reflect.apply(original, self, args);
    const { request, given, passed } = traced;
    const fail = (error: unknown): void =>
      void guard(() => {
        const name = nameOf(error);
        // The page's own reason may be anything; `AbortSignal.timeout` is a failure and not a wish.
        const isAborted = (init?.signal ?? given?.signal)?.aborted && name !== 'TimeoutError';
        request.end(0, isAborted ? 'abort' : name);
      });
    try {
      const answer = context.with(request.context, () => Reflect.apply(original, self, passed));
      if (typeof answer?.then !== 'function') {
        // Somebody's stand-in.
        guard(() => request.end(0));
        return answer;
      }
      // The page gets a promise that goes on from its own: a mere branch would handle the rejection, and the page's
      // `unhandledrejection` would never fire.
      return answer.then(
        (response) => {
          guard(() => request.end(response?.status));
          return response;
        },
        (error) => {
          fail(error);
          throw error;
        },
      );
    } catch (error) {
      fail(error);
      throw error;
    }
  });
}

/**
 * The arguments with headers added, in the shape that the page gave them, as the page may have wrapped `fetch` before
 * us. Nothing of the page's is changed. The same arguments when there is nothing to add, when the page set its own, or
 * when they are wrong, which `fetch` itself will tell.
 */
function withHeaders(
  args: Parameters<Fetch>,
  given: Request | undefined,
  added: Record<string, string>,
): Parameters<Fetch> {
  try {
    const [, init] = args;
    // There the browser drops what it does not know.
    if (!args.length || !added['traceparent'] || (init?.mode ?? given?.mode) === 'no-cors') return args;
    const before = init?.headers === undefined ? given?.headers : init.headers;
    const headers = new Headers(before);
    if (headers.has('traceparent')) return args;
    const more = Object.entries(added).filter(([name]) => !headers.has(name));
    const changed: Record<string, unknown> = {};
    // What it inherits counts too.
    for (const name in init) changed[name] = init[name as keyof RequestInit];
    // Beside any init, a request's referrer is forgotten: https://fetch.spec.whatwg.org/#dom-request step 13.
    if (given && !Object.keys(changed).length) {
      changed['referrer'] = given.referrer;
      changed['referrerPolicy'] = given.referrerPolicy;
    }
    if (Array.isArray(before)) changed['headers'] = [...before, ...more];
    else if (before && Symbol.iterator in before) {
      for (const [name, value] of more) headers.set(name, value);
      changed['headers'] = headers;
    } else changed['headers'] = { ...before, ...Object.fromEntries(more) };
    const passed = [...args] as Parameters<Fetch>;
    passed[1] = changed;
    return passed;
  } catch {
    return args;
  }
}
