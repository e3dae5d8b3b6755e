/** Spans made by hand, and what the encoder writes of them. For tests only. */
import { SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { createEncoder, type EncoderOptions } from '../pipeline/encode.js';
import { newBlob, type Part, type ReadableSpan, type TraceSummary } from '../pipeline/model.js';
import { addSpan, bodyOf } from '../pipeline/pack.js';

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

type Options = Partial<Pick<EncoderOptions, 'redaction' | 'redact'>>;

/** What is written of one trace: its part, elements of `resourceSpans`, and its summary. */
export interface EncodedTrace extends Part {
  json: string;
  summary: TraceSummary;
}

/** Spans of one trace, handed on together. */
export interface SpanGroup {
  traceId: string;
  spans: ReadableSpan[];
}

export function setUp({ redaction = true, redact }: Options = {}): {
  encoder: { encode(group: SpanGroup): EncodedTrace | undefined };
  dropped: Record<string, number>;
} {
  const dropped: Record<string, number> = {};
  const encode = createEncoder({ redaction, redact, clockOffsetMillis: () => 0 });
  return {
    encoder: {
      encode({ spans }) {
        const part: Part = { texts: [], traces: [] };
        const blob = newBlob('', '');
        for (const span of spans) {
          const encoded = encode(span);
          if (typeof encoded === 'string') dropped[encoded] = (dropped[encoded] ?? 0) + 1;
          else addSpan(blob, part, encoded);
        }
        const [summary] = part.traces;
        const json = bodyOf([part]).slice('{"resourceSpans":['.length, -2);
        return summary && { ...part, json, summary };
      },
    },
    dropped,
  };
}

export function encodeAll(
  spans: readonly ReadableSpan[],
  options?: Options,
): { trace: EncodedTrace | undefined; dropped: Record<string, number>; spans: Tree[] } {
  const { encoder, dropped } = setUp(options);
  const trace = encoder.encode({ traceId: TRACE_ID, spans: [...spans] });
  return { trace, dropped, spans: trace ? spansIn(trace) : [] };
}

export function spansIn(encoded: Part): Tree[] {
  const { resourceSpans } = JSON.parse(bodyOf([encoded]));
  return resourceSpans.flatMap((r: { scopeSpans: { spans: Tree[] }[] }) =>
    r.scopeSpans.flatMap((s) => s.spans),
  );
}
