/** What a handler leaves running when it has answered. */
import { standIn } from './stand-in.js';

/** What a runtime gives a handler to keep an invocation alive with. Not bound: each call is made on its owner. */
interface Waiter {
  waitUntil(promise: Promise<unknown>): void;
}

export interface Work {
  /** Something has begun; the result, called once, says that it is over. */
  begin(): () => void;
  /** Resolves when all that has begun is over, or when the time is up. */
  over(timeoutMillis: number): Promise<void>;
}

export function createWork(): Work {
  let count = 0;
  let wake: (() => void) | undefined;
  return {
    begin() {
      count++;
      return () => {
        if (!--count) wake?.();
      };
    },
    async over(timeoutMillis) {
      let isTimeUp = false;
      const timer = count
        ? setTimeout(() => {
            isTimeUp = true;
            wake?.();
          }, timeoutMillis)
        : undefined;
      // What is over may have begun something else in the same breath.
      while (count && !isTimeUp) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      clearTimeout(timer);
    },
  };
}

export interface Background {
  /** The handler's arguments, where its `waitUntil` is seen. */
  readonly args: unknown[];
  /** The runtime's, which keeps the invocation alive. Undefined where the runtime has none: then everything goes on. */
  readonly waitUntil: ((promise: Promise<unknown>) => void) | undefined;
}

const canWait = (value: unknown): value is Waiter =>
  typeof (value as Waiter | null | undefined)?.waitUntil === 'function';

/** @param args of the handler: `(request, env, ctx)` of Workers, `(request, context)` of Vercel, anything of others. */
export function backgroundOf(args: readonly unknown[], work: Work): Background {
  const at = args.findIndex((value, index) => index > 0 && canWait(value));
  const waiter = args[at];
  if (!canWait(waiter)) return { args: [...args], waitUntil: undefined };
  const original = waiter.waitUntil;
  const passOn = (promise: Promise<unknown>): void => Reflect.apply(original, waiter, [promise]);
  const waitUntil = (promise: unknown): void => {
    // The runtime may refuse it, and it is for the handler to hear that.
    passOn(promise as Promise<unknown>);
    if (typeof (promise as PromiseLike<unknown> | undefined)?.then !== 'function') return;
    const end = work.begin();
    // A rejection is the runtime's to tell.
    (promise as PromiseLike<unknown>).then(end, end);
  };
  const passed = [...args];
  // A native one is of this event alone, and must stay itself: `new Entrypoint(ctx, env)` takes no other.
  const isNative = Object.prototype.toString.call(waiter) === '[object ExecutionContext]';
  const property = { value: waitUntil, configurable: true, writable: true };
  if (!isNative || !Reflect.defineProperty(waiter, 'waitUntil', property)) {
    passed[at] = standIn(waiter, (name) => (name === 'waitUntil' ? waitUntil : undefined));
  }
  return { args: passed, waitUntil: passOn };
}
