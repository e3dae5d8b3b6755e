/** Joins the texts of spans to the body of one object. */
import type { EncodedSpan } from './encode.js';
import type { Part, SpanTexts, TraceBlob, TraceSummary } from './model.js';

/** What the endpoint takes of a root span's name. */
const MAX_ROOT_NAME_CHARS = 255;

/** Puts a span into the blob, below its resource and scope. */
export function addSpan(blob: TraceBlob, part: Part, span: EncodedSpan): void {
  const { resource, scope, json } = span;
  const known = part.texts.find((one) => one.resource === resource && one.scope === scope);
  if (known) known.spans += `,${json}`;
  else part.texts.push({ resource, scope, spans: json });
  const summary = summaryOf(span);
  const inPart = part.traces.find(({ traceId }) => traceId === span.traceId);
  if (inPart) merge(inPart, summary);
  else part.traces.push({ ...summary });
  count(blob, summary);
  blob.chars += json.length;
}

/** Counts the spans of a summary as the blob's. */
export function count(blob: TraceBlob, summary: TraceSummary): void {
  const known = blob.traces.get(summary.traceId);
  if (known) merge(known, summary);
  else blob.traces.set(summary.traceId, { ...summary });
  blob.spanCount += summary.spanCount;
  blob.error ||= summary.error;
}

function summaryOf({ traceId, name, startMillis, endMillis, error }: EncodedSpan): TraceSummary {
  const rootName = name.slice(0, MAX_ROOT_NAME_CHARS);
  return {
    traceId,
    rootName,
    startedAt: startMillis,
    durationMs: endMillis - startMillis,
    spanCount: 1,
    error,
  };
}

/** The earliest span names the trace; of those that began together the one that ended last, which is their root. */
function merge(into: TraceSummary, other: TraceSummary): void {
  if (other.startedAt <= into.startedAt) into.rootName = other.rootName;
  const end = Math.max(into.startedAt + into.durationMs, other.startedAt + other.durationMs);
  into.startedAt = Math.min(into.startedAt, other.startedAt);
  into.durationMs = end - into.startedAt;
  into.spanCount += other.spanCount;
  into.error ||= other.error;
}

/** The OTLP/JSON `ExportTraceServiceRequest` of a blob, or that of its logs: each resource and scope once. */
export function bodyOf(parts: readonly Part[]): string {
  const resources = new Map<string, Map<string, string>>();
  for (const { texts } of parts) {
    for (const { resource, scope, spans } of texts) addText(resources, resource, scope, spans);
  }
  const all = [...resources].map(([resource, scopes]) => {
    const lists = [...scopes].map(([scope, spans]) => `${scope}${spans}]}`);
    return `${resource}${lists.join(',')}]}`;
  });
  const [opened] = resources.keys();
  return `{"resource${opened?.endsWith('Logs":[') ? 'Logs' : 'Spans'}":[${all.join(',')}]}`;
}

function addText(
  resources: Map<string, Map<string, string>>,
  resource: string,
  scope: string,
  spans: SpanTexts['spans'],
): void {
  const scopes = resources.get(resource) ?? new Map<string, string>();
  resources.set(resource, scopes);
  const known = scopes.get(scope);
  scopes.set(scope, known === undefined ? spans : `${known},${spans}`);
}
