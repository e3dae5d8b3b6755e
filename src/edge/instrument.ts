import { beginInvocation } from './invocation.js';
import type { EdgeOptions } from './options.js';
import { guard } from './report.js';
import { createSetup, type Setup } from './setup.js';
import { standIn } from './stand-in.js';
import { hasContext, prepareTracing, registerTracing } from './tracing.js';
import { queueTrigger, requestTrigger, scheduledTrigger, type TriggerOf } from './triggers.js';

// Methods rather than function types, as handlers name their own kinds of request, env and context.

/** A Workers-style module: an object with handlers. Others of its properties are left as they are. */
export interface ModuleHandler {
  // biome-ignore lint/suspicious/noExplicitAny: whatever the runtime gives.
  fetch?(request: Request, ...rest: any[]): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the runtime gives.
  scheduled?(controller: any, ...rest: any[]): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the runtime gives.
  queue?(batch: any, ...rest: any[]): unknown;
}

/** A function from a request to its response: `Deno.serve`, `Bun.serve`, Vercel Edge, Hono's `app.fetch`. */
export type FunctionHandler = {
  // biome-ignore lint/suspicious/noExplicitAny: whatever the runtime gives.
  handle(request: Request, ...rest: any[]): unknown;
}['handle'];

export type EdgeHandler = ModuleHandler | FunctionHandler;

// biome-ignore lint/suspicious/noExplicitAny: only what is second matters.
type SecondOf<F> = F extends (first: any, second: infer E, ...rest: any[]) => unknown ? E : never;

/** What the handler calls `env`; anything where it does not say. */
export type EnvOf<H> = H extends { fetch?: infer F }
  ? SecondOf<NonNullable<F>>
  : H extends { scheduled?: infer F } | { queue?: infer F }
    ? SecondOf<NonNullable<F>>
    : SecondOf<H>;

// biome-ignore lint/suspicious/noExplicitAny: a handler of the host's.
type AnyFunction = (...args: any[]) => any;

const TRIGGERS: ReadonlyMap<string | symbol, TriggerOf> = new Map<string, TriggerOf>([
  ['fetch', requestTrigger],
  ['scheduled', scheduledTrigger],
  ['queue', queueTrigger],
]);

/** For handlers that are given no `env`. */
const NO_ENV = {};

/** Once for each `env`: the user's options, checked. Undefined where they are wrong, which is said once. */
function setups(configure: EdgeOptions | ((env: never) => EdgeOptions)): (env: unknown) => Setup | undefined {
  const made = new WeakMap<object, { setup: Setup | undefined }>();
  const told = new Set<string>();
  const make = (env: unknown): Setup | undefined => {
    try {
      return createSetup(typeof configure === 'function' ? configure(env as never) : configure);
    } catch (error) {
      const line = `${error}`;
      if (!told.has(line)) console.error(`spandrel: nothing is traced: ${line}`);
      told.add(line);
      return undefined;
    }
  };
  return (env) => {
    const key = typeof configure === 'function' && typeof env === 'object' && env !== null ? env : NO_ENV;
    let known = made.get(key);
    if (!known) {
      known = { setup: make(env) };
      made.set(key, known);
    }
    return known.setup;
  };
}

/**
 * Traces a handler: a server span for each request (and for each scheduled event and batch of messages), spans of
 * `@opentelemetry/api` and of outgoing `fetch` below it, sent when the answer is out.
 *
 * Answers and exceptions reach the runtime as they were; where a runtime does not tell what a body is made of (Node), a
 * handler's synchronous answer comes as a promise. Where the options are wrong the handler runs untraced, and a
 * line on the console says so.
 *
 * @param handler a Workers-style module, or a function from a request to a response. A class is left as it is.
 * @param configure the options, or what makes them of `env`: called once for each `env`, at its first request.
 * @returns what takes the handler's place: of the same type, and in all that is not traced the very same.
 * @example
 * export default instrument(handler, (env) => ({ service: 'api', destination: r2(env.TRACES) }));
 */
export function instrument<H extends EdgeHandler>(
  handler: H,
  configure: EdgeOptions | ((env: EnvOf<H>) => EdgeOptions),
): H {
  const setupOf = setups(configure as never);
  prepareTracing();

  const begin = (triggerOf: TriggerOf, args: unknown[]) => {
    const event = args[0] as object;
    // Of `(request, env, ctx)` alone is the second what configures: Deno and Vercel give something new with each request.
    const setup = setupOf(args.length > 2 ? args[1] : undefined);
    // A handler in another that is instrumented too.
    if (!setup || hasContext(event)) return undefined;
    registerTracing();
    return beginInvocation(setup, triggerOf(setup, event as never), args);
  };

  const traced = (original: AnyFunction, triggerOf: TriggerOf, owner?: object): AnyFunction =>
    new Proxy(original, {
      apply(_, self, args) {
        // What stands for its owner has not its private fields.
        const on = owner && (self === undefined || self === instrumented) ? owner : self;
        const invocation = guard(() => begin(triggerOf, args));
        if (!invocation) return Reflect.apply(original, on, args);
        const { run, answered, failed } = invocation;
        const fail = (error: unknown): never => {
          failed(error);
          throw error;
        };
        try {
          const answer = run(() => Reflect.apply(original, on, invocation.args));
          if (typeof answer?.then !== 'function') return answered(answer);
          return answer.then(answered, fail);
        } catch (error) {
          return fail(error);
        }
      },
    });

  if (typeof handler === 'function') {
    const isClass = /^class\b/.test(Function.prototype.toString.call(handler));
    if (isClass) {
      console.error('spandrel: nothing is traced: instrument() takes a module or a function, got a class');
      return handler;
    }
  }
  const instrumented: object =
    typeof handler === 'function' ? traced(handler as AnyFunction, requestTrigger) : moduleOf(handler);
  return instrumented as H;

  function moduleOf(module: object): object {
    const known = new Map<unknown, AnyFunction>();
    // What is frozen cannot be told otherwise than it is; nor can the names that a module file exports.
    const isFixed = [...TRIGGERS.keys()].some(
      (name) => Reflect.getOwnPropertyDescriptor(module, name)?.configurable === false,
    );
    const owner = isFixed ? { ...module } : module;
    return standIn(owner, (name) => {
      const triggerOf = TRIGGERS.get(name);
      const original = triggerOf && (Reflect.get(owner, name, owner) as unknown);
      if (!triggerOf || typeof original !== 'function') return undefined;
      const wrapped = known.get(original) ?? traced(original as AnyFunction, triggerOf, owner);
      known.set(original, wrapped);
      return wrapped;
    });
  }
}
