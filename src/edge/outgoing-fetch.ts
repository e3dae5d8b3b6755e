/**
 * A client span for each `fetch` that an invocation makes. What happens outside any invocation, or where tracing is
 * suppressed, goes straight through.
 */
import { type Context, context, createContextKey, type Tracer } from '@opentelemetry/api';
import type { Stop } from '../platform/platform.js';
import { callFetch, type Fetch } from '../sdk/fetch-call.js';
import { requestTracing } from '../sdk/http-request.js';
import { patch } from '../spa/patch.js';
import type { Propagation } from '../spa/propagation.js';
import { noteNetworkBody } from './body-kind.js';
import { standIn } from './stand-in.js';

/** The key by which OpenTelemetry's instrumentations know that a request is telemetry's own. */
const SUPPRESS_TRACING = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

export interface OutgoingFetchDeps {
  /** The invocation that a context belongs to, while it may still have spans. */
  invocationOf(context: Context): { readonly tracer: Tracer; readonly propagation: Propagation } | undefined;
  /** Runs a task of ours: what it throws is counted, not thrown. */
  guard<T>(task: () => T): T | undefined;
}

/** What has a `fetch` of its own: a service binding, the stub of a Durable Object. */
export interface Fetcher {
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
}

export interface OutgoingFetch {
  /**
   * From now on the `fetch` of `scope`, the global object, is traced. Once: further calls do nothing until the first is
   * taken back. What the host has wrapped around `fetch` since stays.
   */
  install(scope: { fetch: Fetch }): Stop;
  /**
   * The same function or object, whose requests are traced: an object for good, as it gets a `fetch` of its own. With a
   * parent given what comes back stands for the object, which is left as it is.
   *
   * @param parent whose children the spans are. Default: the active context at each call.
   */
  traceFetch<F extends Fetch | Fetcher>(fetcher: F, parent?: Context): F;
}

function parse(address: string): URL | undefined {
  try {
    return new URL(address);
  } catch {
    // The host's mistake, which it is told by `fetch`.
    return undefined;
  }
}

/** Query values are left to the encoder, where `redaction` is known; user info is nobody's business. */
function withoutCredentials({ href }: URL): string {
  const url = new URL(href);
  url.username = url.password = url.hash = '';
  return url.href;
}

export function createOutgoingFetch({ invocationOf, guard }: OutgoingFetchDeps): OutgoingFetch {
  const installed = new WeakMap<object, Stop>();
  /** What each of ours goes around: who names it to `traceFetch` wants one span and not two. */
  const beneath = new WeakMap<Fetch, Fetch>();

  const call = (
    original: Fetch,
    self: unknown,
    args: Parameters<Fetch>,
    given?: Context,
  ): ReturnType<Fetch> => {
    const parent = given ?? context.active();
    const invocation = guard(() => (parent.getValue(SUPPRESS_TRACING) ? undefined : invocationOf(parent)));
    if (!invocation) return Reflect.apply(original, self, args);
    const begin = requestTracing({
      tracer: invocation.tracer,
      resolve: parse,
      stored: withoutCredentials,
      parent: () => parent,
      headersFor: invocation.propagation.headersFor,
    });
    return callFetch({ begin, guard, onResponse: noteNetworkBody }, original, self, args);
  };

  return {
    install(scope) {
      const before = installed.get(scope);
      if (before) return before;
      const { fetch } = scope;
      const restore = patch<Fetch>(scope, 'fetch', call);
      beneath.set(scope.fetch, fetch);
      const stop = (): void => {
        installed.delete(scope);
        restore();
      };
      installed.set(scope, stop);
      return stop;
    },
    traceFetch(fetcher, parent) {
      const traced = (given: Fetch, owner?: object): Fetch => {
        const original = beneath.get(given) ?? given;
        const self: Fetch = new Proxy(original, {
          apply: (_, on, args) => call(original, owner ?? on, args as Parameters<Fetch>, parent),
        });
        beneath.set(self, original);
        return self;
      };
      if (typeof fetcher === 'function') return traced(fetcher) as typeof fetcher;
      const value = traced(fetcher.fetch, fetcher);
      // A native object has to stay itself: no other can be handed on by RPC.
      const isOwn =
        !parent && Reflect.defineProperty(fetcher, 'fetch', { value, configurable: true, writable: true });
      return isOwn ? fetcher : standIn(fetcher, (name) => (name === 'fetch' ? value : undefined));
    },
  };
}
