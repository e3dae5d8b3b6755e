import { diag } from '@opentelemetry/api';
import type { DropReason } from '../pipeline/model.js';
import { untraced } from '../platform/untraced.js';
import type { Stats, TraceResult } from './stats.js';

/** Kinds of trouble that `stats().errors` remembers. */
const MAX_ERROR_KINDS = 8;

/** Counts what happens; the owners of queues lend their gauges. One per exporter. */
export interface Diagnostics {
  /** Counters, for their owners to raise. Gauges in here are filled only by {@link stats}. */
  readonly totals: Stats;
  /** Counts lost spans. */
  dropped(reason: DropReason, spanCount: number): void;
  /** Remembers a trouble and tells OpenTelemetry's `diag` once per kind. */
  trouble(kind: string, message: string): void;
  /** Our own exception, caught at a door. */
  exception(error: unknown): void;
  /**
   * Runs a function of the user's: what it begins at once is not traced, and that it was called is noted, as what it
   * begins later may be. See `pipeline/echo.ts`.
   */
  theirs<T>(task: () => T): T;
  /** Milliseconds since then; Infinity before. */
  sinceTheirs(): number;
  /**
   * Adds a function that writes its gauges into the copy that {@link stats} gives away.
   *
   * @returns a function that takes it out.
   */
  gauge(write: (stats: Stats) => void): () => void;
  /** Tells subscribers soon. Cheap without subscribers. */
  changed(): void;
  stats(): Stats;
  /**
   * Calls `listener` with fresh stats after changes, at most ten times a second. Its exceptions are caught.
   *
   * @returns a function that ends it.
   */
  subscribe(listener: (stats: Stats) => void): () => void;
  /** Tells what became of traces: stored, or lost for `reason`. */
  settled(traces: Iterable<Pick<TraceResult, 'traceId' | 'spanCount'>>, reason?: DropReason): void;
  /** Calls `listener` for each of them. Its exceptions are caught. @returns a function that ends it. */
  onTrace(listener: (result: TraceResult) => void): () => void;
  /** Tells subscribers a last time, now, and forgets them. */
  close(): void;
  /** Runs `task`; an exception is caught and counted, and undefined comes back. */
  guard<T>(task: () => T): T | undefined;
}

/** What `structuredClone` would make of plain data, in pages that lack it as well. */
function copied<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copied) as T;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, copied(item)])) as T;
}

/** @param after how a change reaches subscribers later; see `Platform.after`. */
export function createDiagnostics(
  now: () => number,
  after: (millis: number, task: () => void) => unknown,
): Diagnostics {
  const totals: Stats = {
    spans: { created: 0, adopted: 0, handedOver: 0, stored: 0, waiting: 0, dropped: {} },
    storage: { durable: false, failures: 0, corrupt: 0 },
    blobs: { sealed: 0, stored: 0, waiting: 0, inFlight: 0, unconfirmed: 0 },
    bytes: { raw: 0, gzip: 0, stored: 0, waiting: 0 },
    sampling: {
      ...{ kept: 0, dropped: 0, droppedSpans: 0, crowdedOut: 0, undecided: 0 },
      ...{ rules: 0, badRules: 0 },
    },
    buffer: { spans: 0, open: 0, highWater: 0 },
    pool: { ready: 0, empty: 0, expired: 0 },
    requests: {
      uploads: 0,
      uploadFailures: 0,
      exchanges: 0,
      exchangeFailures: 0,
      notifies: 0,
      notifyFailures: 0,
      relays: 0,
      beacons: 0,
      deferred: 0,
    },
    others: [],
    exceptions: 0,
    state: 'running',
    consent: 'granted',
    errors: [],
  };
  const gauges = new Set<(stats: Stats) => void>();
  const listeners = new Set<(stats: Stats) => void>();
  const traceListeners = new Set<(result: TraceResult) => void>();
  let announced = false;
  let theirsAtMillis = Number.NEGATIVE_INFINITY;
  const announce = (): void => {
    announced = false;
    const stats = self.stats();
    for (const listener of listeners) self.guard(() => untraced(() => listener(stats)));
  };

  const self: Diagnostics = {
    totals,
    dropped(reason, spanCount) {
      if (!spanCount) return;
      totals.spans.dropped[reason] = (totals.spans.dropped[reason] ?? 0) + spanCount;
      self.trouble(reason, 'spans were lost');
    },
    trouble(kind, message) {
      const at = totals.errors.findIndex((error) => error.kind === kind);
      const [known] = at < 0 ? [] : totals.errors.splice(at, 1);
      try {
        if (!known) diag.warn(`spandrel: ${kind}: ${message}`);
      } catch {
        // The host's logger is the host's; there is nobody left to tell.
      }
      totals.errors.push({
        kind,
        message,
        atMillis: now(),
        count: (known?.count ?? 0) + 1,
      });
      if (totals.errors.length > MAX_ERROR_KINDS) totals.errors.shift();
      self.changed();
    },
    exception(error) {
      totals.exceptions++;
      self.trouble('exception', String(error));
    },
    theirs(task) {
      theirsAtMillis = now();
      return untraced(task);
    },
    sinceTheirs: () => now() - theirsAtMillis,
    gauge(write) {
      gauges.add(write);
      return () => void gauges.delete(write);
    },
    changed() {
      if (announced || !listeners.size) return;
      announced = true;
      after(100, announce);
    },
    stats() {
      const stats = copied(totals);
      for (const write of gauges) write(stats);
      return stats;
    },
    subscribe(listener) {
      listeners.add(listener);
      self.changed();
      return () => void listeners.delete(listener);
    },
    settled(traces, reason) {
      if (!traceListeners.size) return;
      for (const { traceId, spanCount } of traces) {
        const trace = { traceId, spanCount };
        const result: TraceResult = reason
          ? { ...trace, status: 'lost', reason }
          : { ...trace, status: 'stored' };
        for (const listener of traceListeners) self.guard(() => untraced(() => listener(result)));
      }
    },
    onTrace(listener) {
      traceListeners.add(listener);
      return () => void traceListeners.delete(listener);
    },
    close() {
      if (listeners.size) announce();
      listeners.clear();
      traceListeners.clear();
    },
    guard(task) {
      try {
        return task();
      } catch (error) {
        self.exception(error);
        return undefined;
      }
    },
  };
  return self;
}
