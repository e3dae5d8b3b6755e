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
  const read = readerOf(init);
  const traced = guard(() => {
    const text = String(input);
    const given = requestOf(input, text);
    // As a text from here on: what an object says may be another the next time.
    if (isObject(input) && !given && !(input instanceof URL)) args[0] = text;
    const method = String(read('method') ?? given?.('method') ?? 'GET');
    const request = begin(method, String(given?.('url') ?? text));
    return request && { request, given, passed: withHeaders(args, read, given, request.headers) };
  });
  if (!traced) return Reflect.apply(original, self, args);
  const { request, given, passed } = traced;
  const fail = (error: unknown): void =>
    void guard(() => {
      const name = nameOf(error);
      // The host's own reason may be anything; `AbortSignal.timeout` is a failure and not a wish.
      const signal = (read('signal') ?? given?.('signal')) as AbortSignal | undefined;
      const isAborted = signal?.aborted && name !== 'TimeoutError';
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

/** Reads a member of an init or of a request. */
type Read = (name: string) => unknown;

const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';

/** Each member of the host's init is read once, be it by us or by whom it is passed on to: to read may do something. */
function readerOf(init: unknown): Read {
  const known = new Map<string, unknown>();
  return (name) => {
    if (!known.has(name)) known.set(name, isObject(init) ? Reflect.get(init, name) : undefined);
    return known.get(name);
  };
}

/**
 * What the platform knows of a `Request`, whatever a class of the host's says in its place; undefined for what is none.
 * By its tag too, as it may be another frame's; Workers before September 2024 have none.
 */
function requestOf(input: unknown, text: string): Read | undefined {
  if (!isObject(input)) return undefined;
  const own = globalThis.Request?.prototype;
  const read: Read = (name) => {
    try {
      return Reflect.get(own, name, input) ?? Reflect.get(input, name);
    } catch {
      return Reflect.get(input, name);
    }
  };
  const isRequest = (own && input instanceof Request) || /^\[object (Request|Object)\]$/.test(text);
  return isRequest && read('url') !== undefined ? read : undefined;
}

/**
 * The arguments with headers added, in the shape that the host gave them, as it may have wrapped `fetch` before us.
 * Nothing of the host's is changed, and a `traceparent` of its own stays. The same arguments when there is nothing to
 * add, or when they are wrong, which `fetch` itself will tell.
 */
function withHeaders(
  args: Parameters<Fetch>,
  read: Read,
  given: Read | undefined,
  added: Record<string, string>,
): Parameters<Fetch> {
  try {
    // There the browser drops what it does not know.
    if (
      !args.length ||
      !(args[1] == null || isObject(args[1])) ||
      !Object.keys(added).length ||
      (read('mode') ?? given?.('mode')) === 'no-cors'
    )
      return args;
    const before = read('headers') ?? (read('headers') === undefined ? (given?.('headers') ?? {}) : null);
    if (!isObject(before)) return args;
    // Each header is read once as well.
    const own = Array.isArray(before)
      ? before.map((pair) => [...pair])
      : !(Symbol.iterator in before) && { ...before };
    const headers = new Headers((own || before) as HeadersInit);
    if (!headers.has('traceparent')) {
      for (const [name, value] of Object.entries(added)) {
        if (headers.has(name)) continue;
        if (Array.isArray(own)) own.push([name, value]);
        else if (own) Reflect.set(own, name, value);
        else headers.set(name, value);
      }
    }
    const passed = [...args] as Parameters<Fetch>;
    passed[1] = initWith(args[1], read, own || headers, given);
    return passed;
  } catch {
    return args;
  }
}

/**
 * The host's init with other headers. A copy would be less than what the platform reads: inherited members, those that
 * nobody can enumerate, accessors of a class. So what is more than plain data is shown through.
 */
function initWith(init: unknown, read: Read, headers: object, given: Read | undefined): RequestInit {
  const from = isObject(init) ? init : {};
  const members = Object.getOwnPropertyDescriptors(from) as Record<string, PropertyDescriptor>;
  const prototype = Reflect.getPrototypeOf(from);
  const isPlain =
    (!prototype || prototype === Object.prototype) &&
    Object.values(members).every((member) => member.enumerable && 'value' in member);
  if (isPlain) {
    // Beside any init, a request's referrer is forgotten: https://fetch.spec.whatwg.org/#dom-request step 13.
    const copy = Object.fromEntries(Object.keys(members).map((name) => [name, read(name)]));
    const isEmpty = Object.values(copy).every((member) => member === undefined);
    const kept = isEmpty && given && { referrer: given('referrer'), referrerPolicy: given('referrerPolicy') };
    return { ...copy, ...kept, headers } as RequestInit;
  }
  // Read from the host's own, as a getter may know its object; its other members are there for whoever enumerates.
  for (const member of Object.values(members)) member.configurable = true;
  members['headers'] = { value: headers, enumerable: true, configurable: true, writable: true };
  return new Proxy(Object.create(prototype, members), {
    get: (_, name) =>
      name === 'headers' ? headers : typeof name === 'string' ? read(name) : Reflect.get(from, name),
  });
}
