/**
 * One call of `fetch` with a client span around it.
 *
 * Our own rather than `@opentelemetry/instrumentation-fetch`: that one clones every response to see its end, which
 * holds streamed bodies in memory and keeps them from being cancelled (opentelemetry-js issues 4888 and 5894), ends its
 * spans 300 ms late, so that a page that leaves loses them (4683), writes headers into the page's own `Request`, and is
 * three times as large; `npm run bench instrumentation` has the figures. A span ends when the response's headers are
 * there; bodies are not touched.
 */
import { context } from '@opentelemetry/api';
import { type BeginRequest, nameOf } from './http-request.js';

export type Fetch = typeof globalThis.fetch;

export interface FetchCallDeps {
  readonly begin: BeginRequest;
  /** Runs a task of ours: what it throws is counted, not thrown. */
  guard<T>(task: () => T): T | undefined;
  /** Sees each response before its caller does. Guarded. */
  onResponse?(response: Response): void;
}

/** Does for the host what `original` does: the same arguments, results, exceptions and rejections. */
export function callFetch(
  { begin, guard, onResponse }: FetchCallDeps,
  original: Fetch,
  self: unknown,
  args: Parameters<Fetch>,
): ReturnType<Fetch> {
  const [input, init] = args;
  const traced = guard(() => {
    const text = String(input);
    // By its tag, as it may be another frame's; Workers before September 2024 have none.
    const isRequest = /^\[object (Request|Object)\]$/.test(text) && (input as Request).url !== undefined;
    const given = isRequest ? (input as Request) : undefined;
    const request = begin(String(init?.method ?? given?.method ?? 'GET'), given?.url ?? text);
    return request && { request, given, passed: withHeaders(args, given, request.headers) };
  });
  if (!traced) return Reflect.apply(original, self, args);
  const { request, given, passed } = traced;
  const fail = (error: unknown): void =>
    void guard(() => {
      const name = nameOf(error);
      // The host's own reason may be anything; `AbortSignal.timeout` is a failure and not a wish.
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
    // The host gets a promise that goes on from its own: a mere branch would handle the rejection, and the page's
    // `unhandledrejection` would never fire.
    return answer.then(
      (response) => {
        guard(() => {
          request.end(response?.status, undefined, response);
          onResponse?.(response);
        });
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
}

/**
 * The arguments with headers added, in the shape that the host gave them, as it may have wrapped `fetch` before us.
 * Nothing of the host's is changed. The same arguments when there is nothing to add, when the host set its own, or when
 * they are wrong, which `fetch` itself will tell.
 */
function withHeaders(
  args: Parameters<Fetch>,
  given: Request | undefined,
  added: Record<string, string>,
): Parameters<Fetch> {
  try {
    const [, init] = args;
    // There the browser drops what it does not know.
    if (!args.length || (init?.mode ?? given?.mode) === 'no-cors') return args;
    const before = init?.headers === undefined ? given?.headers : init.headers;
    const headers = new Headers(before);
    const more = Object.entries(added).filter(([name]) => !headers.has(name));
    if (!more.length || headers.has('traceparent')) return args;
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
