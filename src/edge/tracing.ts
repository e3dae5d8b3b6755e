/**
 * OpenTelemetry of one isolate: registered once, and shared by invocations that must never mix. Which invocation a span
 * belongs to is told by the context that it starts in, and by nothing else.
 */
import {
  type Context,
  context,
  createContextKey,
  diag,
  ROOT_CONTEXT,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import { type Config, createTracer } from '../sdk/tracer-provider.js';
import type { Propagation } from '../spa/propagation.js';
import { VERSION } from '../version.js';
import { findAsyncStorage } from './async-storage.js';
import { createContextManager } from './context-manager.js';
import { createOutgoingFetch, type OutgoingFetch } from './outgoing-fetch.js';
import { guard, report } from './report.js';

/** One call of a handler, as its spans know it. */
export interface Invocation {
  /** What becomes of its spans. */
  readonly config: Config;
  /** For spans that we make ourselves, whoever's the global provider is. */
  readonly tracer: Tracer;
  /** What its requests may carry. */
  readonly propagation: Propagation;
  /** Its spans are on their way: what begins now comes too late. */
  readonly isOver: boolean;
}

/** By description, so that all copies of us share it. */
const INVOCATION = createContextKey('spandrel.invocation');

export const withInvocation = (context: Context, invocation: Invocation): Context =>
  context.setValue(INVOCATION, invocation);

/** The invocation that `from` belongs to, or else the active context. Undefined outside of any, and when it is over. */
export function invocationOf(from: Context = context.active()): Invocation | undefined {
  const found = (from.getValue(INVOCATION) ?? context.active().getValue(INVOCATION)) as
    | Invocation
    | undefined;
  if (!found?.isOver) return found;
  report('late-span', 'a span began after its invocation was over; give such work to waitUntil');
  return undefined;
}

/** Where a handler is called: in whatever is the host's, but never in an invocation that is over. */
export function surroundings(): Context {
  const around = context.active();
  const outer = around.getValue(INVOCATION) as Invocation | undefined;
  return outer?.isOver ? ROOT_CONTEXT : around;
}

const tracerOf = (name: string, version?: string, schemaUrl?: string): Tracer =>
  createTracer({ name, version, schemaUrl }, (from) => invocationOf(from)?.config);

let ownTracer: Tracer | undefined;
/** See {@link Invocation.tracer}. */
export const tracer = (): Tracer => {
  ownTracer ??= tracerOf('spandrel', VERSION);
  return ownTracer;
};

const outgoing = createOutgoingFetch({ invocationOf, guard });

/**
 * The same function or object, whose requests are traced: for service bindings and stubs of Durable Objects
 * (`env.API`), and where there is no `AsyncLocalStorage`, with the context given. The global `fetch` is traced anyway.
 *
 * An object stays itself, and can be handed on by RPC: it gets a `fetch` of its own, once and for good. With a context
 * given, which is of one request, what comes back stands for the object, which is the one to hand on.
 *
 * @param fetcher a `fetch` function, or an object that has one.
 * @param parent whose children the spans are, such as `contextOf(request)`. Default: the active context at each call.
 */
export const traceFetch: OutgoingFetch['traceFetch'] = outgoing.traceFetch;

const manager = createContextManager();
let isSought = false;
let isRegistered = false;

/** Looks for what contexts can go through awaits with. Once per isolate, as a Worker starts. */
export function prepareTracing(): void {
  if (isSought) return;
  isSought = true;
  findAsyncStorage<Context>(manager.use);
}

/**
 * Makes `trace.getTracer()` and `context.active()` of `@opentelemetry/api` work in handlers, and traces `fetch`. Once per
 * isolate.
 */
export function registerTracing(): void {
  if (isRegistered) return;
  isRegistered = true;
  const all = shared();
  if (!all.tracesFetch) {
    all.tracesFetch = true;
    outgoing.install(globalThis);
  }
  const provider: TracerProvider = {
    getTracer: (name, version, options) => tracerOf(name, version, options?.schemaUrl),
  };
  // A host that has its own keeps it: the API replaces nothing, and says so itself.
  const ownsTracers = trace.setGlobalTracerProvider(provider);
  const ownsContext = context.setGlobalContextManager(manager);
  if (!ownsTracers || !ownsContext) {
    diag.warn(
      'spandrel: this app has its own OpenTelemetry, which its own spans go to; ours are its requests alone',
    );
  }
}

/** What all copies of us share: an app may have this module twice, imported and required. */
interface Shared {
  /** The contexts of requests and events, for those who cannot have them from {@link context.active}. */
  contexts: WeakMap<object, Context>;
  /** One copy does it for all: it finds their invocations as they do. */
  tracesFetch?: true;
}

const SHARED = Symbol.for('spandrel.edge');

function shared(): Shared {
  const scope = globalThis as { [SHARED]?: Shared };
  scope[SHARED] ??= { contexts: new WeakMap() };
  return scope[SHARED];
}

export function setContextOf(event: object, of: Context): void {
  shared().contexts.set(event, of);
}

/** Whether somebody has instrumented the handler of this very request already. */
export const hasContext = (event: object): boolean => shared().contexts.has(event);

/**
 * The context of a request, with its server span: for runtimes without `AsyncLocalStorage`, where the active context is
 * lost at the first `await`. The active context when there is no such request.
 *
 * @param event the request that the handler was given, or a scheduled event, or a batch of messages.
 * @example
 * const span = trace.getTracer('shop').startSpan('price', {}, contextOf(request));
 */
export const contextOf = (event: object): Context => shared().contexts.get(event) ?? context.active();
