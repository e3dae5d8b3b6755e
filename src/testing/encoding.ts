/** Spans made by hand, and what the encoder writes of them. For tests only. */
import { SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { bodyOf, createTraceEncoder, type EncoderOptions } from '../pipeline/encode.js';
import type { EncodedTrace, OnDropped, ReadableSpan, SpanGroup } from '../pipeline/model.js';

/** JSON as a tree that tests walk. */
export interface Tree {
  [key: string]: Tree;
}

export const TRACE_ID = 'a1b2c3d4e5f60718293a4b5c6d7e8f90';
export const SECONDS = 1_790_000_000;

export function handMade(fields: Partial<Record<keyof ReadableSpan, unknown>> = {}): ReadableSpan {
  return {
    name: 'work',
    kind: SpanKind.INTERNAL,
    spanContext: () => ({ traceId: TRACE_ID, spanId: '00f067aa0ba902b7', traceFlags: TraceFlags.SAMPLED }),
    startTime: [SECONDS, 5],
    endTime: [SECONDS, 7],
    status: { code: SpanStatusCode.UNSET },
    attributes: {},
    links: [],
    events: [],
    duration: [0, 2],
    ended: true,
    resource: { attributes: {} },
    instrumentationScope: { name: 'tests' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
    ...fields,
  } as ReadableSpan;
}

export function setUp(options: EncoderOptions = {}): {
  encoder: {
    encode(group: SpanGroup): EncodedTrace | undefined;
    encodeAhead(group: SpanGroup): EncodedTrace | undefined;
    encodeSliced(
      group: SpanGroup,
      pause: () => Promise<void>,
      clock: () => number,
    ): Promise<EncodedTrace | undefined>;
  };
  dropped: Record<string, number>;
} {
  const dropped: Record<string, number> = {};
  const onDropped: OnDropped = (reason, count) => {
    dropped[reason] = (dropped[reason] ?? 0) + count;
  };
  const encoder = createTraceEncoder(options);
  return {
    encoder: {
      encode: (group) => encoder.encode(group, onDropped),
      encodeAhead: encoder.encodeAhead,
      encodeSliced: (group, pause, clock) => encoder.encodeSliced(group, onDropped, pause, clock),
    },
    dropped,
  };
}

export function encodeAll(
  spans: readonly ReadableSpan[],
  options?: EncoderOptions,
): { trace: EncodedTrace | undefined; dropped: Record<string, number>; spans: Tree[] } {
  const { encoder, dropped } = setUp(options);
  const trace = encoder.encode({ traceId: TRACE_ID, spans: [...spans] });
  return { trace, dropped, spans: trace ? spansIn(trace) : [] };
}

export function spansIn(encoded: EncodedTrace): Tree[] {
  const { resourceSpans } = JSON.parse(bodyOf([encoded]));
  return resourceSpans.flatMap((r: { scopeSpans: { spans: Tree[] }[] }) =>
    r.scopeSpans.flatMap((s) => s.spans),
  );
}
