/**
 * What is known of each trace of this page: which of its spans are open, and whether it is kept.
 *
 * The hot path (a span starts, a span ends) only appends to two lists; {@link TraceBuffer.sort} puts them into traces
 * later. Ended spans of a trace that is kept are handed out by {@link TraceBuffer.next}, to be encoded at once. Those of
 * a trace that is not decided yet stay here until its judge has decided: then all of them follow, or none.
 */
import type { DropReason, OpenSpan, ReadableSpan, TraceBlob } from './model.js';

/** A trace as far as it is this page's. */
export interface LocalTrace {
  readonly traceId: string;
  readonly open: Set<OpenSpan>;
  /** Undefined: not decided yet. */
  isKept: boolean | undefined;
  /** Ended spans, while it is not decided. */
  held: ReadableSpan[];
  /** The first span of it that started here. */
  root: OpenSpan | undefined;
  /** Whether a span has ended with the status ERROR. */
  error: boolean;
  /** Ended spans that are not encoded yet. */
  fresh: number;
  /** Where its spans go. */
  blob: TraceBlob | undefined;
  /** When the oldest ended span came that no closed blob holds, and when anything last happened; monotonic. */
  firstAtMillis: number | undefined;
  touchedAtMillis: number;
  sinceMillis: number;
}

/** Decides traces whose spans are recorded and not sampled. */
export interface Judge {
  /** Something of the trace is known; `isOver`: all that will be. True: keep it. False: drop it. */
  decide(trace: LocalTrace, isOver: boolean): boolean | undefined;
  /** A span has ended that was sampled as it began. */
  ended(span: ReadableSpan): void;
  /** A trace was dropped for want of room. */
  crowdedOut(trace: LocalTrace): void;
}

export interface TraceBufferDeps {
  monotonic(): number;
  dropped(reason: DropReason, spanCount: number): void;
  /** A span has ended whose trace is kept. */
  created(): void;
  /** Spans of a trace that is not kept. */
  sampledOut(spanCount: number): void;
  /** Runs a task of others; an exception in it is counted. */
  guard<T>(task: () => T): T | undefined;
}

export interface TraceBuffer {
  judge: Judge | undefined;
  started(span: OpenSpan): void;
  ended(span: ReadableSpan): void;
  /** A span that was started and will never end. */
  discard(span: OpenSpan): void;
  /** Forgets all that is here. @returns the spans that were open. */
  forget(): OpenSpan[];
  /** Keeps a trace whatever its judge says; `told` before that is done. False when it was dropped already. */
  keep(traceId: string, told: (trace: LocalTrace) => void): boolean;
  sort(): void;
  /** The next ended span that is to be encoded. */
  next(): { span: ReadableSpan; trace: LocalTrace } | undefined;
  /** Decides and forgets traces that are over: those that nothing has come of for a while. */
  sweep(isOver?: boolean): void;
  /** Until when spans of this blob's traces may yet come, if nothing more is heard of them; monotonic. */
  awaitedUntil(blob: TraceBlob): number;
  /** When {@link sweep} has something to do, by the monotonic clock. */
  readonly dueAtMillis: number;
  /** Ends every open span, inner first, root last, marked `spandrel.interrupted`. */
  interrupt(): void;
  /** Ended spans of kept traces that are not encoded. What was not {@link sort sorted} yet is not counted. */
  readonly keptCount: number;
  readonly undecidedCount: number;
  readonly openCount: number;
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
  /** Oldest first. */
  const traces = new Map<string, LocalTrace>();
  let startedList: OpenSpan[] = [];
  let endedList: ReadableSpan[] = [];
  let queue: { span: ReadableSpan; trace: LocalTrace }[] = [];
  let head = 0;
  let heldCount = 0;
  let openCount = 0;

  const traceOf = (span: ReadableSpan): LocalTrace => {
    const { traceId, traceFlags } = span.spanContext();
    const now = deps.monotonic();
    let trace = traces.get(traceId);
    if (!trace) {
      const isKept = traceFlags & SAMPLED || !self.judge ? true : undefined;
      trace = {
        ...{ traceId, isKept, open: new Set(), held: [], root: undefined, error: false, fresh: 0 },
        ...{ blob: undefined, firstAtMillis: undefined, touchedAtMillis: now, sinceMillis: now },
      };
      traces.set(traceId, trace);
    }
    trace.touchedAtMillis = now;
    return trace;
  };

  const enqueue = (span: ReadableSpan, trace: LocalTrace): void => {
    deps.created();
    trace.fresh++;
    trace.firstAtMillis ??= deps.monotonic();
    queue.push({ span, trace });
  };

  const settle = (trace: LocalTrace, isKept: boolean): void => {
    if (trace.isKept !== undefined) return;
    trace.isKept = isKept;
    const { held } = trace;
    trace.held = [];
    heldCount -= held.length;
    trace.root ??= held[0] as OpenSpan | undefined;
    if (isKept) for (const span of held) enqueue(span, trace);
    else deps.sampledOut(held.length);
  };

  const judged = (trace: LocalTrace, isOver: boolean): void => {
    const verdict = deps.guard(() => self.judge?.decide(trace, isOver));
    if (verdict !== undefined || isOver) settle(trace, verdict === true);
  };

  const ended = (span: ReadableSpan): void => {
    const trace = traceOf(span);
    if (trace.open.delete(span as OpenSpan)) openCount--;
    trace.error ||= span.status?.code === ERROR_STATUS;
    if (trace.isKept) {
      if (span.spanContext().traceFlags & SAMPLED) deps.guard(() => self.judge?.ended(span));
      enqueue(span, trace);
    } else if (trace.isKept === false) deps.sampledOut(1);
    else {
      trace.held.push(span);
      heldCount++;
      judged(trace, false);
    }
  };

  /** Drops whole traces, oldest first, those with errors last, until a tenth is free: it is not cheap. */
  const relieve = (): void => {
    self.sort();
    let excess = self.keptCount + heldCount - maxSpans() * 0.9;
    const victims = [...traces.values()].filter((trace) => trace.fresh || trace.held.length);
    victims.sort((a, b) => Number(a.error) - Number(b.error) || a.sinceMillis - b.sinceMillis);
    const lost = new Set<LocalTrace>();
    for (const trace of victims) {
      if (excess <= 0) break;
      excess -= trace.fresh + trace.held.length;
      if (trace.isKept === undefined) {
        self.judge?.crowdedOut(trace);
        settle(trace, false);
      } else lost.add(trace);
    }
    let count = 0;
    queue = queue.slice(head).filter(({ trace }) => {
      if (!lost.has(trace)) return true;
      trace.fresh--;
      count++;
      return false;
    });
    head = 0;
    deps.dropped('buffer-full', count);
  };

  /** When a trace is over, or must be looked at. */
  const dueAt = (trace: LocalTrace): number => {
    if (trace.isKept === undefined)
      return trace.open.size ? trace.sinceMillis + PART_AGE_MILLIS : trace.touchedAtMillis + LINGER_MILLIS;
    if (trace.open.size) return trace.touchedAtMillis + STALE_MILLIS;
    return trace.touchedAtMillis + (trace.root ? REMEMBER_MILLIS : LINGER_MILLIS);
  };

  const forget = (trace: LocalTrace): void => {
    openCount -= trace.open.size;
    traces.delete(trace.traceId);
  };

  const self: TraceBuffer = {
    judge: undefined,
    started(span) {
      startedList.push(span);
    },
    ended(span) {
      if (endedList.push(span) + queue.length - head + heldCount > maxSpans()) relieve();
    },
    discard(span) {
      self.sort();
      const trace = traces.get(span.spanContext().traceId);
      if (!trace?.open.delete(span)) return;
      openCount--;
      if (!trace.open.size && trace.firstAtMillis === undefined && !trace.held.length)
        traces.delete(trace.traceId);
    },
    forget() {
      self.sort();
      const open = [...traces.values()].flatMap((trace) => [...trace.open]);
      traces.clear();
      queue = [];
      head = heldCount = openCount = 0;
      return open;
    },
    keep(traceId, told) {
      self.sort();
      const trace = traces.get(traceId);
      if (trace && trace.isKept === undefined) {
        told(trace);
        settle(trace, true);
      }
      return trace?.isKept === true;
    },
    sort() {
      const started = startedList;
      const list = endedList;
      startedList = [];
      endedList = [];
      for (const span of started) {
        if (openCount >= MAX_OPEN_SPANS) break;
        const trace = traceOf(span);
        if (trace.isKept === undefined) trace.root ??= span;
        trace.open.add(span);
        openCount++;
        if (trace.isKept === undefined) judged(trace, false);
      }
      for (const span of list) ended(span);
    },
    next() {
      const entry = queue[head];
      if (!entry) {
        queue = [];
        head = 0;
        return undefined;
      }
      head++;
      entry.trace.fresh--;
      return entry;
    },
    sweep(isOver = false) {
      const now = deps.monotonic();
      let excess = traces.size - MAX_REMEMBERED;
      for (const trace of traces.values()) {
        if (trace.isKept === undefined) {
          if (isOver || dueAt(trace) <= now) judged(trace, true);
        } else if (dueAt(trace) <= now || (excess > 0 && !trace.open.size)) {
          excess--;
          forget(trace);
        }
      }
    },
    awaitedUntil(blob) {
      let until = 0;
      for (const trace of traces.values()) {
        if (trace.blob !== blob) continue;
        const { open, firstAtMillis, touchedAtMillis } = trace;
        until = Math.max(
          until,
          open.size ? (firstAtMillis ?? 0) + PART_AGE_MILLIS : touchedAtMillis + LINGER_MILLIS,
        );
      }
      return until;
    },
    get dueAtMillis() {
      let due = Number.POSITIVE_INFINITY;
      for (const trace of traces.values()) due = Math.min(due, dueAt(trace));
      return due;
    },
    interrupt() {
      self.sort();
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
    get keptCount() {
      return queue.length - head;
    },
    get undecidedCount() {
      let open = 0;
      for (const trace of traces.values()) if (trace.isKept === undefined) open += trace.open.size;
      return heldCount + open;
    },
    get openCount() {
      return openCount + startedList.length;
    },
  };
  return self;
}
