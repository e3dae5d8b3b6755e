/**
 * What is known of each trace of this page: which of its spans are open, and whether it is kept.
 *
 * Ended spans wait with their trace. Those of a trace that is kept are handed out by {@link TraceBuffer.next}, to be
 * encoded at the next idle moment. Those of a trace that is not decided yet stay until its judge has decided: then all
 * of them follow, or none.
 */
import type { Judge, LocalTrace } from './local-trace.js';
import type { DropReason, OpenSpan, ReadableSpan, TraceBlob } from './model.js';

export interface TraceBufferDeps {
  monotonic(): number;
  /** Spans of a trace that is kept. */
  lost(traceId: string, spanCount: number, reason: DropReason): void;
  /** Spans have ended whose trace is kept. */
  created(spanCount: number): void;
  /** Spans of a trace that is not kept. */
  sampledOut(spanCount: number): void;
  /** So many spans have ended and are not encoded yet. */
  holds(spanCount: number): void;
  /** Runs a task of others; an exception in it is counted. */
  guard<T>(task: () => T): T | undefined;
}

export interface TraceBuffer {
  judge: Judge | undefined;
  started(span: OpenSpan): void;
  ended(span: ReadableSpan): void;
  /** A span that was started and will never end. */
  discard(span: OpenSpan): void;
  /** Forgets all that is here; `reason`: of what is kept. @returns the spans that were open. */
  forget(reason: DropReason): OpenSpan[];
  /** Keeps a trace whatever its judge says; `told` before that is done. False when it was dropped already. */
  keep(traceId: string, told: (trace: LocalTrace) => void): boolean;
  /** The span that {@link next} would take. */
  peek(): ReadableSpan | undefined;
  /** The next ended span that is to be encoded. */
  next(): { span: ReadableSpan; trace: LocalTrace } | undefined;
  /**
   * Decides and forgets traces that are over: those that nothing has come of for a while. `quiet` decides those of which
   * nothing is open, `all` every one.
   */
  sweep(which?: 'due' | 'quiet' | 'all'): void;
  /** Until when spans of this blob's traces may yet come, if nothing more is heard of them; monotonic. */
  awaitedUntil(blob: TraceBlob): number;
  /** When {@link sweep} has something to do, by the monotonic clock. */
  dueAtMillis(): number;
  /** Ends every open span, inner first, root last, marked `spandrel.interrupted`. */
  interrupt(): void;
  /** Ended spans of kept traces that are not encoded; those of others, with their open ones; all that are open. */
  counts(): { kept: number; undecided: number; open: number };
}

/** Async work often starts its next child just after its parent ended. */
const LINGER_MILLIS = 500;
/** A dashboard left open has traces that never end; after half a minute they go in parts, and are decided. */
const PART_AGE_MILLIS = 30_000;
/** A span that is open for half an hour was forgotten by its owner; we stop waiting for it. */
const STALE_MILLIS = 30 * 60_000;
/** Of a trace that was decided after its beginning this much longer is known, for spans that come late. */
const REMEMBER_MILLIS = 5 * 60_000;
const MAX_REMEMBERED = 10_000;
/** Beyond this many open spans the rest are not watched; they are still sent when they end. */
const MAX_OPEN_SPANS = 5_000;

const SAMPLED = 1;
const ERROR_STATUS = 2;

export function createTraceBuffer(deps: TraceBufferDeps, maxSpans: () => number): TraceBuffer {
  const { monotonic, guard } = deps;
  /** Oldest first. */
  const traces = new Map<string, LocalTrace>();
  /** Those that are kept and hold spans. */
  const ready = new Set<LocalTrace>();
  /** Of all traces. */
  let heldCount = 0;
  let openCount = 0;

  const traceOf = (span: ReadableSpan): LocalTrace => {
    const { traceId, traceFlags } = span.spanContext();
    const now = monotonic();
    let trace = traces.get(traceId);
    if (!trace) {
      const isKept = traceFlags & SAMPLED || !self.judge ? true : undefined;
      trace = {
        ...{ traceId, isKept, open: new Set(), held: [], root: undefined, error: false },
        ...{ blob: undefined, firstAtMillis: undefined, touchedAtMillis: now, sinceMillis: now },
      };
      traces.set(traceId, trace);
    }
    trace.touchedAtMillis = now;
    return trace;
  };

  const isReady = (trace: LocalTrace, count: number): void => {
    if (!count) return;
    deps.created(count);
    trace.firstAtMillis ??= monotonic();
    ready.add(trace);
  };

  /** What it holds is taken from it. */
  const emptied = (trace: LocalTrace): number => {
    const { length } = trace.held;
    heldCount -= length;
    trace.held = [];
    ready.delete(trace);
    return length;
  };

  const settle = (trace: LocalTrace, isKept: boolean): void => {
    trace.isKept = isKept;
    trace.root ??= trace.held[0] as OpenSpan | undefined;
    if (isKept) isReady(trace, trace.held.length);
    else deps.sampledOut(emptied(trace));
  };

  const judge = (trace: LocalTrace, isOver: boolean): void => {
    if (trace.isKept !== undefined) return;
    const verdict = guard(() => self.judge?.decide(trace, isOver));
    if (verdict !== undefined || isOver) settle(trace, verdict === true);
  };

  const openSpans = (): OpenSpan[] => [...traces.values()].flatMap((trace) => [...trace.open]);

  /** Drops whole traces, oldest first, those with errors last, until a tenth is free: it is not cheap. */
  const relieve = (): void => {
    const victims = [...traces.values()].filter((trace) => trace.held.length);
    victims.sort((a, b) => +a.error - +b.error || a.sinceMillis - b.sinceMillis);
    for (const trace of victims) {
      if (heldCount <= maxSpans() * 0.9) break;
      if (trace.isKept) deps.lost(trace.traceId, emptied(trace), 'buffer-full');
      else {
        self.judge?.crowdedOut(trace);
        settle(trace, false);
      }
    }
  };

  /** When a trace is over, or must be looked at. */
  const dueAt = ({ isKept, open, held, root, sinceMillis, touchedAtMillis }: LocalTrace): number => {
    // It is looked at again when they are encoded.
    if (isKept && held.length) return Number.POSITIVE_INFINITY;
    if (open.size)
      return isKept === undefined ? sinceMillis + PART_AGE_MILLIS : touchedAtMillis + STALE_MILLIS;
    return touchedAtMillis + (isKept !== undefined && root ? REMEMBER_MILLIS : LINGER_MILLIS);
  };

  const self: TraceBuffer = {
    judge: undefined,
    started(span) {
      if (openCount >= MAX_OPEN_SPANS) return;
      const trace = traceOf(span);
      trace.open.add(span);
      openCount++;
      if (trace.isKept === undefined) trace.root ??= span;
      judge(trace, false);
    },
    ended(span) {
      const trace = traceOf(span);
      if (trace.open.delete(span as OpenSpan)) openCount--;
      trace.error ||= span.status?.code === ERROR_STATUS;
      if (trace.isKept === false) return deps.sampledOut(1);
      trace.held.push(span);
      if (trace.isKept) {
        if (span.spanContext().traceFlags & SAMPLED) guard(() => self.judge?.ended(span));
        isReady(trace, 1);
      }
      deps.holds(++heldCount);
      if (heldCount > maxSpans()) relieve();
      judge(trace, false);
    },
    discard(span) {
      const { traceId } = span.spanContext();
      const trace = traces.get(traceId);
      if (!trace?.open.delete(span)) return;
      openCount--;
      if (!trace.open.size && !trace.firstAtMillis && !trace.held.length) traces.delete(traceId);
    },
    forget(reason) {
      const open = openSpans();
      for (const trace of ready) deps.lost(trace.traceId, emptied(trace), reason);
      traces.clear();
      heldCount = openCount = 0;
      return open;
    },
    keep(traceId, told) {
      const trace = traces.get(traceId);
      if (trace && trace.isKept === undefined) {
        told(trace);
        settle(trace, true);
      }
      return trace?.isKept === true;
    },
    peek: () => ready.values().next().value?.held[0],
    next() {
      const [trace] = ready;
      if (!trace) return undefined;
      const span = trace.held.shift() as ReadableSpan;
      heldCount--;
      if (!trace.held.length) ready.delete(trace);
      return { span, trace };
    },
    sweep(which = 'due') {
      const now = monotonic();
      let excess = traces.size - MAX_REMEMBERED;
      for (const trace of traces.values()) {
        const isDue = dueAt(trace) <= now;
        if (trace.isKept === undefined) {
          const isOver = which === 'all' || (which === 'quiet' && !trace.open.size);
          if (isOver || isDue) judge(trace, true);
        } else if (isDue || (excess > 0 && !trace.open.size && !trace.held.length)) {
          excess--;
          openCount -= trace.open.size;
          traces.delete(trace.traceId);
        }
      }
    },
    awaitedUntil(blob) {
      let until = 0;
      for (const { traceId, blob: its, open, firstAtMillis = 0, touchedAtMillis } of traces.values()) {
        // Log records are of none: see `LogItem`.
        if (its !== blob || !traceId[31]) continue;
        until = Math.max(
          until,
          open.size ? firstAtMillis + PART_AGE_MILLIS : touchedAtMillis + LINGER_MILLIS,
        );
      }
      return until;
    },
    dueAtMillis: () => Math.min(...[...traces.values()].map(dueAt)),
    interrupt() {
      // Children start after their parents, so the reverse of the start order ends inner spans first.
      for (const span of openSpans().reverse()) {
        // Another processor of the host may throw at the end of a span.
        guard(() => {
          span.setAttribute('spandrel.interrupted', true);
          span.end();
        });
      }
    },
    counts() {
      let kept = 0;
      for (const trace of ready) kept += trace.held.length;
      let undecided = heldCount - kept;
      for (const trace of traces.values()) if (trace.isKept === undefined) undecided += trace.open.size;
      return { kept, undecided, open: openCount };
    },
  };
  return self;
}
