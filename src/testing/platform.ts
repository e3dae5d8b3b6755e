/** A world for tests: nothing in it moves unless the test moves it. */
import { keepaliveBudget } from '../platform/keepalive-budget.js';
import type { HttpAnswer, KeepaliveBudget, PageSignal, Platform, Store } from '../platform/platform.js';
import type { TestOrigin } from './origin.js';

/** A request that was begun and waits for the test's answer. */
export interface TestRequest {
  readonly url: string;
  readonly init: RequestInit;
  /** Undefined when its caller leaves it to the platform. */
  readonly timeoutMillis: number | undefined;
  readonly answered: boolean;
  /** @throws {Error} when the request has its answer already. */
  answer(answer: Partial<HttpAnswer>): void;
}

export interface TestBeacon {
  readonly url: string;
  readonly body: BodyInit;
}

export interface TestPlatform extends Platform {
  /** Every request so far, answered or not. */
  readonly requests: readonly TestRequest[];
  /** Those that wait for an answer, oldest first. */
  readonly pending: readonly TestRequest[];
  /** Beacons that the browser has taken. */
  readonly beacons: readonly TestBeacon[];
  /** What timers and listeners threw. */
  readonly exceptions: readonly unknown[];
  readonly keepalive: KeepaliveBudget;
  /** Requests that the browser holds for the page's end, those taken back left out. */
  readonly deferred: readonly TestBeacon[];
  /** Timers and listeners that are still set. */
  readonly loose: { timers: number; listeners: number };
  readonly yields: number;
  takesBeacons: boolean;
  canDefer: boolean;
  /** Hears of each request as it begins, in the caller's task. */
  onRequest: ((request: TestRequest) => void) | undefined;
  onBeacon: ((beacon: TestBeacon) => void) | undefined;
  /** Moves both clocks, running the timers that come due in their order and letting promises settle after each. */
  advance(millis: number): Promise<void>;
  /** Moves the wall clock alone: sleep, or somebody setting it. Runs nothing. */
  jump(millis: number): void;
  /** Fires a page signal, in this task. */
  page(signal: PageSignal): void;
  online(): void;
  /**
   * So many effects on the world the page still has (a request, a beacon, a note, a transaction); what comes after them
   * has none, as when a browser ends a page in the middle of its last task.
   */
  effectsLeft: number;
  /** The page is gone from one moment to the next: nothing of it runs any more, its locks are free. */
  crash(): void;
}

/** Lets everything that needs no timer and no answer run to its end. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Waits for a condition that others bring about, such as a real compressor's. @throws {Error} after 5,000 turns. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    if (turn > 5_000) throw new Error(`never came true: ${condition}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Uniform in [0, 1), the same in every run. mulberry32, Tommy Ettinger, public domain. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface TestPlatformOptions {
  /** Default: seeded, the same in every run. */
  random?: () => number;
  /** Default: a page without database, notes and locks. */
  origin?: TestOrigin | undefined;
  /** Wall clock at the start. */
  nowMillis?: number;
  /** Another for each page of an origin. */
  seed?: number;
  /** Whether there is a `fetchLater`. */
  defers?: boolean;
  /** Default true, as in Firefox. */
  cachesEarly?: boolean;
}

export function testPlatform({
  seed = 1,
  random = seededRandom(seed),
  origin,
  nowMillis = 1_790_000_000_000,
  defers = false,
  cachesEarly = true,
}: TestPlatformOptions = {}): TestPlatform {
  const bytes = seededRandom(seed + 1);
  const requests: TestRequest[] = [];
  const beacons: TestBeacon[] = [];
  const exceptions: unknown[] = [];
  const timers = new Set<{ atMillis: number; task: () => void }>();
  const pageListeners = new Set<(signal: PageSignal) => void>();
  const onlineListeners = new Set<() => void>();
  const deferred = new Set<TestBeacon>();
  const lockNames: string[] = [];
  let wallMillis = nowMillis;
  let monotonicMillis = 5_000;
  let yields = 0;
  let closed = false;
  let crashed = false;

  const guarded = (task: () => void): void => {
    try {
      task();
    } catch (error) {
      exceptions.push(error);
    }
  };
  const listen = <T>(listeners: Set<T>, listener: T) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };

  /** Whether the next effect still happens. */
  const happens = (): boolean => self.effectsLeft-- > 0;
  const mortal = (store: Store | undefined): Store | undefined =>
    store && {
      ...store,
      write: (change) => (happens() ? store.write(change) : new Promise(() => {})),
    };

  const self: TestPlatform = {
    effectsLeft: Number.POSITIVE_INFINITY,
    requests,
    beacons,
    exceptions,
    keepalive: keepaliveBudget({}),
    takesBeacons: true,
    canDefer: defers,
    cachesEarly,
    onRequest: undefined,
    onBeacon: undefined,
    get pending() {
      return requests.filter(({ answered }) => !answered);
    },
    get loose() {
      return { timers: timers.size, listeners: pageListeners.size + onlineListeners.size };
    },
    get yields() {
      return yields;
    },
    async fetch(input, init = {}) {
      const { status, body } = await self.request(String(input), init);
      return new Response(body, { status });
    },
    // Whole, as `Date.now()` is.
    now: () => Math.floor(wallMillis),
    monotonic: () => monotonicMillis,
    random,
    randomBytes: (count) => Uint8Array.from({ length: count }, () => bytes() * 256),
    after(millis, task) {
      if (closed) return () => {};
      const timer = { atMillis: monotonicMillis + Math.max(0, millis), task };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    whenIdle: (millis, task) => self.after(Math.min(millis, 10), task),
    async yieldToMain() {
      yields++;
      if (crashed) await new Promise(() => {});
    },
    get deferred() {
      return [...deferred];
    },
    defer(url, init) {
      if (!self.canDefer || !happens()) return undefined;
      const request = { url, body: init.body as BodyInit };
      deferred.add(request);
      return () => deferred.delete(request);
    },
    openStore: () => mortal(origin?.openStore()),
    get notes() {
      const notes = origin?.openNotes(self);
      return (
        notes && {
          ...notes,
          set: (name: string, text: string) => (happens() ? notes.set(name, text) : true),
          delete: (name: string) => void (happens() && notes.delete(name)),
        }
      );
    },
    onNote: (listener) => origin?.watch(self, listener) ?? (() => {}),
    async purge() {
      await origin?.purge(self);
    },
    abandon() {
      deferred.clear();
      for (const request of self.pending) request.answer({ body: 'given up' });
    },
    openTabs() {
      const tabs = (origin as TestOrigin).openTabs(self.now(), self.randomBytes(10));
      lockNames.push(tabs.name);
      return tabs;
    },
    crash() {
      crashed = true;
      closed = true;
      timers.clear();
      origin?.unwatch(self);
      pageListeners.clear();
      onlineListeners.clear();
      origin?.free(lockNames);
    },
    request(url, init, timeoutMillis) {
      if (closed) return Promise.resolve({ status: 0, body: 'closed' });
      if (!happens()) return new Promise(() => {});
      return new Promise((resolve) => {
        let answered = false;
        const request: TestRequest = {
          url,
          init,
          timeoutMillis,
          get answered() {
            return answered;
          },
          answer(answer) {
            if (answered) throw new Error(`answered twice: ${url}`);
            answered = true;
            resolve({ status: 0, body: '', ...answer });
          },
        };
        requests.push(request);
        self.onRequest?.(request);
      });
    },
    isOwnRequest: (url) => requests.some((request) => request.url === url),
    beacon(url, body) {
      if (!self.takesBeacons) return false;
      if (!happens()) return true;
      const beacon = { url, body };
      beacons.push(beacon);
      self.onBeacon?.(beacon);
      return true;
    },
    onPage: (listener) => listen(pageListeners, listener),
    onOnline: (listener) => listen(onlineListeners, listener),
    async advance(millis) {
      const end = monotonicMillis + millis;
      await settle();
      for (;;) {
        const [next] = [...timers].sort((a, b) => a.atMillis - b.atMillis);
        if (!next || next.atMillis > end) break;
        timers.delete(next);
        const step = Math.max(0, next.atMillis - monotonicMillis);
        wallMillis += step;
        monotonicMillis += step;
        guarded(next.task);
        await settle();
      }
      wallMillis += end - monotonicMillis;
      monotonicMillis = end;
    },
    jump(millis) {
      wallMillis += millis;
    },
    close() {
      closed = true;
      timers.clear();
      self.abandon();
    },
    page(signal) {
      for (const listener of [...pageListeners]) guarded(() => listener(signal));
    },
    online() {
      for (const listener of [...onlineListeners]) guarded(listener);
    },
  };
  return self;
}
