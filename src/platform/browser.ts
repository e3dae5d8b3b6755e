/** The world as a browser page has it; what is missing (Node, workers) is simply absent. */
import { ownGlobal } from './dom.js';
import { createIdbStore, deleteIdb } from './idb-store.js';
import { keepaliveBudget } from './keepalive-budget.js';
import { listen } from './listen.js';
import { createNotes } from './notes.js';
import { onPageSignal } from './page-lifecycle.js';
import type { PageSignal, Platform, Stop } from './platform.js';
import { createRequests } from './requests.js';
import { createTabs } from './tabs.js';
import { uuidv7 } from './uuid.js';

interface Scheduler {
  yield?(): Promise<void>;
}

/** WebKit tells nobody when it is idle. One frame: what comes within it goes together, and little is lost by it. */
const NO_IDLE_MILLIS = 16;

const nothing: Stop = () => {};

/**
 * @param onException hears of every exception in a timer or listener; it never reaches the page.
 * @param scope the global object.
 */
export function createBrowserPlatform(
  onException: (error: unknown) => void,
  scope: typeof globalThis = globalThis,
): Platform {
  const { document, navigator } = scope as Partial<typeof globalThis>;
  const scheduler = ownGlobal<Scheduler>('scheduler', scope);
  const idle = ownGlobal<typeof requestIdleCallback>('requestIdleCallback', scope);
  /** What ends the timers under way. */
  const endings = new Set<Stop>();
  let closed = false;

  const guarded =
    <A extends unknown[]>(task: (...args: A) => void) =>
    (...args: A): void => {
      try {
        task(...args);
      } catch (error) {
        onException(error);
      }
    };
  /** `begin` sets a timer of any kind for what it is given, and returns what clears it. Nothing once closed. */
  const timer = (task: () => void, begin: (run: () => void) => Stop): Stop => {
    if (closed) return nothing;
    const stop = (): void => {
      clear();
      endings.delete(stop);
    };
    const clear = begin(() => {
      endings.delete(stop);
      guarded(task)();
    });
    endings.add(stop);
    return stop;
  };
  const after: Platform['after'] = (millis, task, isAwaited) =>
    timer(task, (run) => {
      const handle: { unref?(): void } | number = setTimeout(run, millis);
      if (!document && !isAwaited) (handle as { unref?(): void }).unref?.();
      return () => clearTimeout(handle as number);
    });

  const keepalive = keepaliveBudget(scope);
  const { putAway, restored, close: closeRequests, ...requests } = createRequests(scope, after);
  const now = (): number => Date.now();
  const randomBytes = (count: number): Uint8Array => crypto.getRandomValues(new Uint8Array(count));

  /** Where storage is forbidden, the very getter throws. */
  const hasDatabase = (): boolean => {
    try {
      return Boolean(scope.indexedDB);
    } catch {
      return false;
    }
  };
  const heard = <E extends Event>(type: string, handle: (event: E) => void): Stop =>
    document ? listen(scope, type, guarded(handle)) : nothing;

  return {
    ...requests,
    ...{ now, randomBytes, after, keepalive },
    monotonic: () => performance.now(),
    random: () => Math.random(),
    whenIdle(millis, task) {
      if (!idle) return after(Math.min(millis, NO_IDLE_MILLIS), task);
      return timer(task, (run) => {
        const handle = idle.call(scope, run, { timeout: millis });
        return () => scope.cancelIdleCallback(handle);
      });
    },
    yieldToMain: () =>
      scheduler?.yield ? scheduler.yield().catch(nothing) : new Promise((resolve) => setTimeout(resolve, 0)),
    openStore: () => (hasDatabase() ? createIdbStore(after) : undefined),
    get notes() {
      return createNotes(scope);
    },
    onNote: (listener) => heard('storage', ({ key, newValue }: StorageEvent) => listener(key, newValue)),
    async purge() {
      for (const notes of [createNotes(scope), createNotes(scope, 'sessionStorage')]) {
        for (const name of notes?.names('spandrel-') ?? []) notes?.delete(name);
      }
      if (hasDatabase()) await deleteIdb(after);
    },
    openTabs: () => createTabs(uuidv7(now(), randomBytes(10)), navigator?.locks),
    cachesEarly: Object.hasOwn(scope, 'mozInnerScreenX'),
    onPage(listener) {
      if (!document) return nothing;
      const handle = guarded((signal: PageSignal) => {
        if (signal === 'visible') restored();
        listener(signal);
        if (signal === 'cached') putAway();
      });
      return onPageSignal(scope, handle);
    },
    onOnline: (listener) => heard('online', listener),
    close() {
      closed = true;
      closeRequests();
      for (const end of endings) end();
      keepalive.close();
    },
  };
}
