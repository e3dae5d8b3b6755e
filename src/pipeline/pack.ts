/** Between stages 2 and 3: which traces share a blob, and the request that holds them. */
import type { EncodedTrace } from './model.js';

export interface PackLimits {
  /** The most characters that the traces of one pack may have together, their commas counted. */
  maxRawChars: number;
  /** The most traces in one pack. 1 gives each trace a blob of its own. */
  maxTraces: number;
}

/**
 * Puts traces together in the order given. A trace is never split: one that is over the limit stands alone.
 * Never gives an empty pack.
 */
export function packTraces(traces: readonly EncodedTrace[], limits: PackLimits): EncodedTrace[][] {
  const packs: EncodedTrace[][] = [];
  let pack: EncodedTrace[] = [];
  let chars = 0;
  for (const trace of traces) {
    if (
      pack.length > 0 &&
      (chars + 1 + trace.json.length > limits.maxRawChars || pack.length >= limits.maxTraces)
    ) {
      packs.push(pack);
      pack = [];
      chars = 0;
    }
    chars += (pack.length > 0 ? 1 : 0) + trace.json.length;
    pack.push(trace);
  }
  if (pack.length > 0) packs.push(pack);
  return packs;
}

/** The OTLP/JSON `ExportTraceServiceRequest` of these traces: field 1, `resourceSpans`, and nothing else. */
export function bodyOf(traces: readonly EncodedTrace[]): string {
  return `{"resourceSpans":[${traces.map((trace) => trace.json).join(',')}]}`;
}
