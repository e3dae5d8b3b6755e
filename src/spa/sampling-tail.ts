/**
 * Traces that were not sampled as they began wait here, recorded, in front of the buffer: in memory alone, until they
 * are over. Then they are passed on whole, or forgotten whole. What is sampled goes straight through.
 *
 * | kept, reason | when                                                                              |
 * | ------------ | --------------------------------------------------------------------------------- |
 * | `error`      | a span has ended with the status ERROR: at once                                   |
 * | `marked`     | the page marked it, or a rule of the server's came to match its first span: at once |
 * | `slow`       | it lasted longer than `keepSlowerThanMillis`                                      |
 * | `function`   | `keepTrace` said so                                                               |
 *
 * A trace is over when nothing of it has been open for 500 ms, after 30 s, or when the page is left; where the page is
 * hidden or flushes, as soon as nothing of it is open.
 */
import type { Attributes, HrTime, SpanContext } from '@opentelemetry/api';
import type { Stats } from '../diagnostics/stats.js';
import type { LocalTrace } from '../page-options.js';
import type { OpenSpan, ReadableSpan } from '../pipeline/model.js';
import type { Platform, Stop } from '../platform/platform.js';
import { attributesOf, PROBABILITY } from './sampler.js';
import type { Marks } from './sampling-marks.js';
import type { Verdict } from './sampling-rules.js';

export interface TailDeps {
  platform: Pick<Platform, 'now' | 'monotonic' | 'after'>;
  guard<T>(task: () => T): T | undefined;
  totals: Stats['sampling'];
  marks: Marks;
  /** Where kept spans go: see `TraceBatchProcessor`. */
  watch(span: OpenSpan): void;
  take(span: ReadableSpan): void;
  discard(span: OpenSpan): void;
  /** What the rules say now; undefined where there are none. */
  verdict(traceId: string, attributes: Attributes): Verdict | undefined;
  /** See `SamplerDeps`. */
  admit(): number;
  /** What was decided as the trace began, if that was just now: its chance, and whether it was lost to pressure. */
  begun(traceId: string): { chance: number; isCrowdedOut: boolean } | undefined;
}

export interface TailOptions {
  keepErrors: boolean;
  keepSlowerThanMillis: number;
  keepTrace: ((trace: LocalTrace) => unknown) | undefined;
  maxSpans: number;
}

export interface Tail {
  onStart(span: OpenSpan): void;
  onEnd(span: ReadableSpan): void;
  /** See `TraceBatchProcessor.discard`. */
  discard(span: OpenSpan): void;
  /** Keeps the span's trace. False when it was dropped already. */
  mark(span: { spanContext(): SpanContext }): boolean;
  /** What can be decided is. `isOver`: everything, and open spans end. */
  drain(isOver: boolean): void;
  /** Nothing of what is here shall be kept, nor what is yet to come of it. */
  forget(): void;
  /** Spans held, ended or open. */
  readonly size: number;
  close(): void;
}

interface Held {
  traceId: string;
  /** The first span here, whose attributes the rules look at. */
  root: OpenSpan | undefined;
  spans: ReadableSpan[];
  open: Set<OpenSpan>;
  /** Of a span that has ended. */
  error: boolean;
  /** A rule was won, and lost to pressure: it shall not win twice. */
  isCrowdedOut: boolean;
  sinceMillis: number;
  touchedAtMillis: number;
}

type Reason = 'error' | 'marked' | 'slow' | 'function';

/** As the buffer waits, for what follows the end of a span. */
const LINGER_MILLIS = 500;
const MAX_MILLIS = 30_000;

const SAMPLED = 1;
const ERROR_STATUS = 2;

const isError = ({ status }: ReadableSpan): boolean => status?.code === ERROR_STATUS;
const isLocalRoot = ({ parentSpanContext: parent }: ReadableSpan): boolean =>
  !parent || parent.isRemote === true;
const millisOf = ([seconds, nanos]: HrTime): number => seconds * 1e3 + nanos / 1e6;

export function createTail(deps: TailDeps, options: TailOptions): Tail {
  const { platform, guard, totals, marks } = deps;
  /** Oldest first. */
  const traces = new Map<string, Held>();
  /** Chances of sampled traces, as they were at the beginning. */
  const chances = new WeakMap<ReadableSpan, number>();
  let size = 0;
  let timer: Stop | undefined;

  const settle = (
    held: Held,
    reason: Reason | undefined,
    attributes: Attributes = { [PROBABILITY]: 0 },
  ): void => {
    const { traceId, spans, open, root } = held;
    traces.delete(traceId);
    size -= spans.length + open.size;
    const owner = root && open.has(root) ? root.spanContext().spanId : undefined;
    marks.set(traceId, reason !== undefined, owner);
    if (!reason) {
      totals.dropped++;
      totals.droppedSpans += spans.length;
      return;
    }
    totals.kept++;
    const first = root ?? spans[0];
    // Not by setAttribute, which an ended span ignores; nobody has read this one yet.
    if (first) Object.assign(first.attributes, { 'spandrel.sampling.reason': reason }, attributes);
    for (const span of open) deps.watch(span);
    for (const span of spans) deps.take(span);
  };

  const hasError = ({ error, open }: Held): boolean => error || [...open].some(isError);

  const traceOf = (held: Held): LocalTrace => {
    const { traceId, root, spans } = held;
    const first = root ?? (spans[0] as ReadableSpan);
    const ends = spans.map(({ endTime }) => millisOf(endTime));
    const end = held.open.size ? platform.now() : Math.max(...ends);
    const starts = [first, ...spans].map(({ startTime }) => millisOf(startTime));
    return {
      traceId,
      name: first.name,
      attributes: { ...first.attributes },
      durationMillis: end - Math.min(...starts),
      spanCount: spans.length + held.open.size,
      error: hasError(held),
    };
  };

  /** The last word. */
  const decide = (held: Held): void => {
    const { keepErrors, keepSlowerThanMillis, keepTrace } = options;
    const known = traceOf(held);
    if (keepErrors && known.error) settle(held, 'error');
    else if (keepSlowerThanMillis && known.durationMillis > keepSlowerThanMillis) settle(held, 'slow');
    else settle(held, keepTrace && guard(() => keepTrace(known) === true) ? 'function' : undefined);
  };

  /** What is known already may be enough. */
  const decideEarly = (held: Held, span?: ReadableSpan): void => {
    const { traceId, root } = held;
    if (options.keepErrors && span && isError(span)) {
      settle(held, 'error');
      return;
    }
    const verdict = root && !held.isCrowdedOut ? deps.verdict(traceId, root.attributes) : undefined;
    if (!verdict?.isWon) return;
    const share = deps.admit();
    held.isCrowdedOut = !share;
    if (share) settle(held, 'marked', attributesOf(verdict.probability * share, verdict.id));
  };

  const tick = (): void => {
    timer = undefined;
    const now = platform.monotonic();
    for (const held of traces.values()) {
      const isQuiet = !held.open.size && now - held.touchedAtMillis >= LINGER_MILLIS;
      if (isQuiet || now - held.sinceMillis >= MAX_MILLIS) decide(held);
    }
    arm();
  };
  const arm = (): void => {
    if (traces.size) timer ??= platform.after(LINGER_MILLIS, tick);
  };

  const makeRoom = (): void => {
    for (const hasMercy of [true, false]) {
      for (const held of traces.values()) {
        if (size <= options.maxSpans) return;
        if (hasMercy && held.error) continue;
        totals.crowdedOut++;
        settle(held, undefined);
      }
    }
  };

  const hold = (traceId: string): Held => {
    const now = platform.monotonic();
    let held = traces.get(traceId);
    if (!held) {
      held = {
        ...{ traceId, root: undefined, spans: [], open: new Set(), error: false, isCrowdedOut: false },
        ...{ sinceMillis: now, touchedAtMillis: now },
      };
      traces.set(traceId, held);
      arm();
    }
    held.touchedAtMillis = now;
    return held;
  };

  /** Rules may match at the end what they did not at the beginning: then the chance was greater than was written. */
  const correctChance = (span: ReadableSpan): void => {
    const before = chances.get(span);
    const now = before && deps.verdict(span.spanContext().traceId, span.attributes)?.probability;
    if (!now || now <= before) return;
    const probability = (Number(span.attributes[PROBABILITY] ?? 1) * now) / before;
    if (probability < 1) span.attributes[PROBABILITY] = probability;
    else delete span.attributes[PROBABILITY];
  };

  const drain = (isOver: boolean): void => {
    if (isOver) {
      const open = [...traces.values()].flatMap((held) => [...held.open]);
      // As the buffer does with its own: children first.
      for (const span of open.reverse()) {
        guard(() => {
          span.setAttribute('spandrel.interrupted', true);
          span.end();
        });
      }
    }
    for (const held of [...traces.values()]) {
      if (isOver || !held.open.size) decide(held);
      else if (options.keepErrors && hasError(held)) settle(held, 'error');
    }
  };

  return {
    onStart(span) {
      const { traceId, traceFlags } = span.spanContext();
      const begun = isLocalRoot(span) ? deps.begun(traceId) : undefined;
      if (traceFlags & SAMPLED) {
        if (begun) chances.set(span, begun.chance);
        return deps.watch(span);
      }
      const isKept = marks.get(traceId);
      if (isKept) return deps.watch(span);
      if (isKept === false) return;
      const held = hold(traceId);
      if (begun) {
        held.root ??= span;
        held.isCrowdedOut ||= begun.isCrowdedOut;
      }
      held.open.add(span);
      size++;
      decideEarly(held);
      makeRoom();
    },
    onEnd(span) {
      const { traceId, traceFlags, spanId } = span.spanContext();
      if (traceFlags & SAMPLED) {
        if (isLocalRoot(span)) totals.kept++;
        correctChance(span);
        return deps.take(span);
      }
      const isKept = marks.get(traceId);
      marks.ended(traceId, spanId);
      if (isKept) return deps.take(span);
      if (isKept === false) {
        totals.droppedSpans++;
        return;
      }
      const held = hold(traceId);
      if (!held.open.delete(span as OpenSpan)) size++;
      held.spans.push(span);
      held.error ||= isError(span);
      decideEarly(held, span);
    },
    discard(span) {
      deps.discard(span);
      const held = traces.get(span.spanContext().traceId);
      if (!held?.open.delete(span)) return;
      size--;
      if (!held.open.size && !held.spans.length) traces.delete(held.traceId);
    },
    mark(span) {
      const { traceId, traceFlags } = span.spanContext();
      const held = traces.get(traceId);
      if (held) settle(held, 'marked');
      return held !== undefined || (traceFlags & SAMPLED) > 0 || marks.get(traceId) === true;
    },
    drain,
    forget() {
      for (const held of [...traces.values()]) settle(held, undefined);
    },
    get size() {
      return size;
    },
    close() {
      for (const held of [...traces.values()]) decide(held);
      timer?.();
    },
  };
}
