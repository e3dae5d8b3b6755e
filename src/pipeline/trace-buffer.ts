/**
 * Gathers ended spans into whole traces. Stage 1 of 8.
 *
 * The hot path (a span starts, a span ends) only appends to two lists; 100 ms later the lists are sorted into
 * traces. A trace with nothing open any more waits 500 ms for late children, then joins the *ready* traces,
 * which are handed on together after `scheduledDelayMillis` or at 512 spans. A trace that goes on is handed on
 * in parts: at 512 spans, or when its oldest ended span has waited 30 s. A span that comes after its trace was
 * handed on makes a further part by the same rule.
 */
import type { Stop } from '../platform/platform.js';
import type { DropReason, OpenSpan, ReadableSpan, SpanGroup } from './model.js';

export interface TraceBufferDeps {
  monotonic(): number;
  after(millis: number, task: () => void): Stop;
  /** Takes the groups; resolves once they are safe elsewhere or lost. Their spans count against the cap until then. */
  emit(groups: SpanGroup[]): Promise<unknown>;
  dropped(reason: DropReason, spanCount: number): void;
  /** Hears which these were. */
  forget(spans: readonly ReadableSpan[]): void;
  /** Runs a task of others; an exception in it is counted. */
  guard(task: () => void): void;
}

export interface TraceBufferOptions {
  scheduledDelayMillis: number;
  maxBufferedSpans: number;
}

export interface TraceBuffer {
  started(span: OpenSpan): void;
  ended(span: ReadableSpan): void;
  /** A span that was started and will never end. */
  discard(span: OpenSpan): void;
  /** Watches the spans that are open no longer. @returns which these were. */
  forgetOpen(): OpenSpan[];
  /** Hands everything that ended to `emit` in this task, parts included. */
  flush(): void;
  /** Ends every open span, inner first, root last, marked `spandrel.interrupted`. */
  interrupt(): void;
  /** Ended spans held here, not those being emitted. */
  readonly spanCount: number;
  readonly openCount: number;
  /** The most that `spanCount` has been. */
  readonly highWater: number;
  /** Ends all timers. Later spans are ignored. */
  close(): void;
}

interface Trace extends SpanGroup {
  open: Set<OpenSpan>;
  error: boolean;
  /** When the oldest ended span came. */
  firstAtMillis: number;
  /** When anything last happened to it. */
  touchedAtMillis: number;
}

/** Long enough to make bursts one task, short enough not to be felt. */
const SORT_MILLIS = 100;
/** Async work often starts its next child just after its parent ended. */
const LINGER_MILLIS = 500;
/** As many as OpenTelemetry's batch, so that a part is encoded in one or two slices. */
const PART_SPANS = 512;
/** A dashboard left open has traces that never end; half a minute keeps them useful. */
const PART_AGE_MILLIS = 30_000;
/** A span that is open for half an hour was forgotten by its owner; we stop waiting for it. */
const STALE_MILLIS = 30 * 60_000;
/** Beyond this many open spans the rest are not watched; they are still sent when they end. */
const MAX_OPEN_SPANS = 5_000;

const ERROR_STATUS = 2;

export function createTraceBuffer(deps: TraceBufferDeps, options: TraceBufferOptions): TraceBuffer {
  const traces = new Map<string, Trace>();
  let startedLane: OpenSpan[] = [];
  let endedLane: ReadableSpan[] = [];
  let ready: Trace[] = [];
  let readySinceMillis = 0;
  let tracedSpans = 0;
  let readySpans = 0;
  let emittingSpans = 0;
  let openCount = 0;
  let highWater = 0;
  let closed = false;
  let laneTimer: Stop | undefined;
  let dueTimer: Stop | undefined;

  const spanCount = (): number => endedLane.length + tracedSpans + readySpans;

  const traceOf = (traceId: string, now: number): Trace => {
    let trace = traces.get(traceId);
    if (!trace) {
      const times = { firstAtMillis: now, touchedAtMillis: now };
      trace = { traceId, spans: [], open: new Set(), error: false, ...times };
      traces.set(traceId, trace);
    }
    trace.touchedAtMillis = now;
    return trace;
  };

  const forgetOpen = (trace: Trace): void => {
    openCount -= trace.open.size;
    trace.open.clear();
  };

  /** Moves a trace's ended spans to the ready traces; what is open stays behind for the next part. */
  const makeReady = (trace: Trace, now: number): void => {
    if (!ready.length) readySinceMillis = now;
    ready.push({ ...trace, open: new Set() });
    readySpans += trace.spans.length;
    tracedSpans -= trace.spans.length;
    trace.spans = [];
    trace.error = false;
  };

  /** Leaves the timer as it is: what is sorted is still to be looked after. */
  const sortLanes = (): void => {
    highWater = Math.max(highWater, spanCount());
    const now = deps.monotonic();
    const opened = startedLane;
    const ended = endedLane;
    startedLane = [];
    endedLane = [];
    for (const span of opened) {
      if (openCount >= MAX_OPEN_SPANS) break;
      traceOf(span.spanContext().traceId, now).open.add(span);
      openCount++;
    }
    for (const span of ended) {
      const trace = traceOf(span.spanContext().traceId, now);
      if (trace.open.delete(span as OpenSpan)) openCount--;
      if (!trace.spans.length) trace.firstAtMillis = now;
      trace.spans.push(span);
      tracedSpans++;
      trace.error ||= span.status?.code === ERROR_STATUS;
      if (trace.spans.length >= PART_SPANS) makeReady(trace, now);
    }
  };

  const emitReady = (): void => {
    const groups = ready.map(({ traceId, spans }) => ({ traceId, spans }));
    const count = readySpans;
    ready = [];
    readySpans = 0;
    if (!count) return;
    emittingSpans += count;
    void deps.emit(groups).finally(() => {
      emittingSpans -= count;
    });
  };

  /** When a trace is due, by the monotonic clock. */
  const dueAt = (trace: Trace): number => {
    if (!trace.open.size) return trace.touchedAtMillis + LINGER_MILLIS;
    if (!trace.spans.length) return trace.touchedAtMillis + STALE_MILLIS;
    return trace.firstAtMillis + PART_AGE_MILLIS;
  };

  const collectDue = (): void => {
    const now = deps.monotonic();
    for (const trace of traces.values()) {
      if (dueAt(trace) > now) continue;
      if (trace.spans.length) makeReady(trace, now);
      else forgetOpen(trace);
      if (!trace.open.size) traces.delete(trace.traceId);
    }
  };

  const tick = (): void => {
    laneTimer?.();
    laneTimer = undefined;
    sortLanes();
    collectDue();
    const now = deps.monotonic();
    const waited = now - readySinceMillis >= options.scheduledDelayMillis;
    if (readySpans >= PART_SPANS || (ready.length && waited)) emitReady();
    let next = ready.length ? readySinceMillis + options.scheduledDelayMillis : Number.POSITIVE_INFINITY;
    for (const trace of traces.values()) next = Math.min(next, dueAt(trace));
    dueTimer?.();
    dueTimer = Number.isFinite(next) ? deps.after(Math.max(0, next - now), tick) : undefined;
  };

  const armLane = (): void => {
    laneTimer = deps.after(SORT_MILLIS, tick);
  };

  /** Makes room by dropping whole traces: oldest first, those with errors last. A tenth at once, as it is not cheap. */
  const relieve = (): void => {
    const target = options.maxBufferedSpans * 0.9;
    sortLanes();
    const victims = [...ready, ...traces.values()].filter((trace) => trace.spans.length);
    victims.sort((a, b) => Number(a.error) - Number(b.error) || a.firstAtMillis - b.firstAtMillis);
    for (const trace of victims) {
      if (spanCount() + emittingSpans <= target) break;
      const count = trace.spans.length;
      deps.dropped('buffer-full', count);
      deps.forget(trace.spans);
      trace.spans = [];
      const at = ready.indexOf(trace);
      if (at >= 0) ready.splice(at, 1);
      if (at >= 0) readySpans -= count;
      else tracedSpans -= count;
    }
  };

  return {
    started(span) {
      if (closed) return;
      startedLane.push(span);
      if (!laneTimer) armLane();
    },
    ended(span) {
      if (closed) return;
      if (endedLane.push(span) + tracedSpans + readySpans + emittingSpans > options.maxBufferedSpans)
        relieve();
      if (!laneTimer) armLane();
    },
    discard(span) {
      sortLanes();
      const trace = traces.get(span.spanContext().traceId);
      if (!trace?.open.delete(span)) return;
      openCount--;
      if (!trace.open.size && !trace.spans.length) traces.delete(trace.traceId);
    },
    forgetOpen() {
      sortLanes();
      return [...traces.values()].flatMap((trace) => {
        const open = [...trace.open];
        forgetOpen(trace);
        return open;
      });
    },
    flush() {
      sortLanes();
      const now = deps.monotonic();
      for (const trace of traces.values()) {
        if (trace.spans.length) makeReady(trace, now);
        if (!trace.open.size) traces.delete(trace.traceId);
      }
      emitReady();
    },
    interrupt() {
      sortLanes();
      const open = [...traces.values()].flatMap((trace) => [...trace.open]);
      // Children start after their parents, so the reverse of the start order ends inner spans first.
      for (const span of open.reverse()) {
        // Another processor of the host may throw at the end of a span.
        deps.guard(() => {
          span.setAttribute('spandrel.interrupted', true);
          span.end();
        });
      }
    },
    get spanCount() {
      return spanCount();
    },
    get openCount() {
      return openCount + startedLane.length;
    },
    get highWater() {
      return Math.max(highWater, spanCount());
    },
    close() {
      closed = true;
      laneTimer?.();
      dueTimer?.();
      laneTimer = dueTimer = undefined;
    },
  };
}
