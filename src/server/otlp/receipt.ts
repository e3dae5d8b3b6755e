import type { StoredReceipt, TraceSummary } from '../../protocol.js';
import type { SpanJson } from '../../wire/otlp-json.js';
import type { Sifted } from './sift.js';

/** As many as a page may tell of. */
const MAX_TRACES = 500;
const MAX_NAME_LENGTH = 255;
const ERROR_STATUS = 2;

/** What the operator is told of an object that the endpoint has stored itself. */
export function receiptOf(
  { items }: Pick<Sifted, 'items'>,
  { key, bytes, isTraces }: { key: string; bytes: number; isTraces: boolean },
): StoredReceipt {
  const receipt = { key, token: '', bytes };
  if (!isTraces) return { ...receipt, spanCount: 0, logRecordCount: items.length, traces: [] };
  return { ...receipt, spanCount: items.length, traces: summariesOf(items as SpanJson[]) };
}

interface Gathered extends TraceSummary {
  endedAt: number;
  hasRoot: boolean;
}

function summariesOf(spans: readonly SpanJson[]): TraceSummary[] {
  const traces = new Map<string, Gathered>();
  for (const span of spans) {
    const { traceId, parentSpanId = '', name = '', status } = span;
    const startedAt = millisOf(span.startTimeUnixNano);
    const endedAt = Math.max(millisOf(span.endTimeUnixNano), startedAt);
    let trace = traces.get(traceId);
    if (!trace) {
      if (traces.size === MAX_TRACES) continue;
      trace = {
        traceId,
        rootName: '',
        startedAt,
        durationMs: 0,
        spanCount: 0,
        error: false,
        endedAt,
        hasRoot: false,
      };
      traces.set(traceId, trace);
    }
    const isRoot = /^0*$/.test(parentSpanId);
    if (
      trace.spanCount === 0 ||
      (isRoot && !trace.hasRoot) ||
      (!trace.hasRoot && startedAt < trace.startedAt)
    ) {
      trace.rootName = name.slice(0, MAX_NAME_LENGTH);
      trace.hasRoot = isRoot;
    }
    trace.startedAt = Math.min(trace.startedAt, startedAt);
    trace.endedAt = Math.max(trace.endedAt, endedAt);
    trace.durationMs = trace.endedAt - trace.startedAt;
    trace.spanCount += 1;
    trace.error ||= status?.code === ERROR_STATUS;
  }
  return Array.from(traces.values(), ({ endedAt: _ended, hasRoot: _root, ...summary }) => summary);
}

const millisOf = (nanos: string | number = 0): number => Number(nanos) / 1e6;
