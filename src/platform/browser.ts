/** The world as a browser page has it; what is missing (Node, workers) is simply absent. */
import { ownGlobal } from './dom.js';
import { createIdbStore, deleteIdb } from './idb-store.js';
import { keepaliveBudget } from './keepalive-budget.js';
import { listen } from './listen.js';
import { createNotes } from './notes.js';
import { onPageSignal } from './page-lifecycle.js';
import { createPageRequests } from './page-requests.js';
import type { PageSignal, Platform, Stop, Tabs } from './platform.js';
import { createLeaseTabs } from './tab-lease.js';
import { createLockTabs } from './tabs.js';
import { createTimers } from './timers.js';
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
  const { guarded, once, later, after, close: closeTimers } = createTimers(onException, !document);
  const scheduler = ownGlobal<Scheduler>('scheduler', scope);
  const idle = ownGlobal<typeof requestIdleCallback>('requestIdleCallback', scope);

  const keepalive = keepaliveBudget(scope);
  const { putAway, restored, close: closeRequests, ...requests } = createPageRequests(scope, later);
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

  return {
    ...requests,
    now,
    monotonic: () => performance.now(),
    random: () => Math.random(),
    randomBytes,
    after,
    whenIdle(millis, task) {
      if (!idle) return after(Math.min(millis, NO_IDLE_MILLIS), task);
      return once(guarded(task), (run) => {
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
    onNote(listener) {
      if (!document) return nothing;
      return listen(
        scope,
        'storage',
        guarded(({ key, newValue }: StorageEvent) => listener(key, newValue)),
      );
    },
    async purge() {
      const notes = createNotes(scope);
      for (const name of notes?.names('spandrel-') ?? []) notes?.delete(name);
      if (hasDatabase()) await deleteIdb(after);
    },
    openTabs(store) {
      const name = uuidv7(now(), randomBytes(10));
      const openLease = (): Tabs => createLeaseTabs(name, store, { now, after });
      const locks = navigator?.locks;
      return locks ? createLockTabs(name, { locks, openLease }) : openLease();
    },
    keepalive,
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
    onOnline(listener) {
      return document ? listen(scope, 'online', guarded(listener)) : nothing;
    },
    close() {
      closeRequests();
      closeTimers();
      keepalive.close();
    },
  };
}
