/** Ended spans of one invocation until they are sent, and those that are open. */
import type { OpenSpan, ReadableSpan } from '../pipeline/model.js';

export interface SpanBuffer {
  readonly openCount: number;
  readonly count: number;
  /** The most that `count` has been. */
  readonly highWater: number;
  started(span: OpenSpan): void;
  ended(span: ReadableSpan): void;
  /** The spans still open, inner first. */
  open(): OpenSpan[];
  /** All ended spans, which are forgotten here. */
  take(): ReadableSpan[];
}

const ERROR_STATUS = 2;

/** @param dropped is told of spans for which there was no room. */
export function createSpanBuffer(maxSpans: number, dropped: (spanCount: number) => void): SpanBuffer {
  const openSpans = new Set<OpenSpan>();
  let spans: ReadableSpan[] = [];
  let highWater = 0;

  /** Drops whole traces, oldest first, those with errors last, until a tenth is free. */
  const relieve = (): void => {
    const traces = new Map<string, { count: number; error: boolean }>();
    for (const span of spans) {
      const { traceId } = span.spanContext();
      const { count, error } = traces.get(traceId) ?? { count: 0, error: false };
      traces.set(traceId, { count: count + 1, error: error || span.status?.code === ERROR_STATUS });
    }
    let excess = spans.length - maxSpans * 0.9;
    const lost = new Set<string>();
    for (const [traceId, { count }] of [...traces].sort(([, a], [, b]) => +a.error - +b.error)) {
      if (excess <= 0) break;
      excess -= count;
      lost.add(traceId);
    }
    const before = spans.length;
    spans = spans.filter((span) => !lost.has(span.spanContext().traceId));
    dropped(before - spans.length);
  };

  return {
    get openCount() {
      return openSpans.size;
    },
    get count() {
      return spans.length;
    },
    get highWater() {
      return highWater;
    },
    started: (span) => void openSpans.add(span),
    ended(span) {
      openSpans.delete(span as OpenSpan);
      if (spans.push(span) > maxSpans) relieve();
      highWater = Math.max(highWater, spans.length);
    },
    open: () => [...openSpans].reverse(),
    take() {
      const taken = spans;
      spans = [];
      return taken;
    },
  };
}
