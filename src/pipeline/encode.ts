/** Stage 2 of 8: spans of one trace in, OTLP/JSON text out. */
import type { HrTime } from '@opentelemetry/api';
import type { RedactableSpan } from '../page-options.js';
import { type Content, redactable, redactName } from './encode-redact.js';
import { normalTime, openedResource, openedScope, parentIdOf, spanJson } from './encode-span.js';
import type { DropReason, EncodedTrace, OnDropped, ReadableSpan, SpanGroup } from './model.js';

/** Work between two pauses, milliseconds. Under the 5 ms that a task of ours may last. */
const SLICE_MILLIS = 4;

/** The most characters of JSON that one span may take; it could fill a blob alone. */
const MAX_SPAN_CHARS = 1_048_576;

/** What the endpoint takes of a root span's name. */
const MAX_ROOT_NAME_CHARS = 255;

/** The spans' texts, by the text of the resource, by that of the scope, in the order first seen. */
type Resources = Map<string, Map<string, string[]>>;

/** Neither method throws or rejects on account of a span: the span alone is left out and counted. */
export interface TraceEncoder {
  /**
   * Encodes all spans of one group at once, synchronously: for leaving.
   *
   * @returns undefined when no span could be encoded.
   */
  encode(group: SpanGroup, onDropped: OnDropped): EncodedTrace | undefined;
  /** {@link encode} for spans that will be encoded again: their texts are kept as long as they live. */
  encodeAhead(group: SpanGroup): EncodedTrace | undefined;
  /**
   * The same in slices, while the page lives: `pause` is awaited whenever about 4 ms of work were done since
   * it last was, by this call or by calls before it in the same task.
   *
   * Losses are reported only at the end, so a page that leaves meanwhile may encode the same group again by `encode`
   * and ignore what this one still says. A `pause` that rejects abandons the group, and the promise rejects with its
   * reason.
   *
   * @param clock - milliseconds that never go back
   */
  encodeSliced(
    group: SpanGroup,
    onDropped: OnDropped,
    pause: () => Promise<void>,
    clock: () => number,
  ): Promise<EncodedTrace | undefined>;
}

export interface EncoderOptions {
  /** The most characters of JSON that one span may take. Default 1,048,576. */
  maxSpanChars?: number;
  /** See `PrivacyOptions`. Default true. */
  redaction?: boolean;
  /** Called once for each span, however often that is encoded. It may change it, and says whether it is kept. */
  redact?: ((span: RedactableSpan) => boolean) | undefined;
}

export function createTraceEncoder(options: EncoderOptions = {}): TraceEncoder {
  const { maxSpanChars = MAX_SPAN_CHARS, redaction = true, redact } = options;
  const opened = new WeakMap<object, string>();
  const known = new WeakMap<ReadableSpan, Said>();
  const begin = (onDropped: OnDropped, keeps = redact !== undefined): Draft =>
    beginTrace({ opened, known, keeps, maxSpanChars, redaction, redact }, onDropped);
  let millisSincePause = 0;

  return {
    encodeAhead(group) {
      const draft = begin(() => {}, true);
      for (const span of group.spans) draft.add(span);
      return draft.finish(group.traceId);
    },
    encode(group, onDropped) {
      const draft = begin(onDropped);
      for (const span of group.spans) draft.add(span);
      return draft.finish(group.traceId);
    },
    async encodeSliced(group, onDropped, pause, clock) {
      const draft = begin(onDropped);
      let mark = clock();
      for (const span of group.spans) {
        draft.add(span);
        const now = clock();
        millisSincePause += now - mark;
        mark = now;
        if (millisSincePause >= SLICE_MILLIS) {
          millisSincePause = 0;
          await pause();
          mark = clock();
        }
      }
      return draft.finish(group.traceId);
    },
  };
}

/** A trace while it is being written. */
interface Draft {
  add(span: ReadableSpan): void;
  /** Reports the losses, and gives the trace if any span is in it. */
  finish(traceId: string): EncodedTrace | undefined;
}

/** What is written of a span; or why nothing is. */
type Said = { json: string; name: string } | DropReason;

interface DraftSettings extends Required<EncoderOptions> {
  /** Resources and scopes that were written before. */
  opened: WeakMap<object, string>;
  /** Spans that were written before, and whether these are to be remembered as well. */
  known: WeakMap<ReadableSpan, Said>;
  keeps: boolean;
}

function beginTrace(settings: DraftSettings, onDropped: OnDropped): Draft {
  const { opened, known, keeps, maxSpanChars, redaction, redact } = settings;
  const resources: Resources = new Map();
  const losses = new Map<DropReason, number>();
  let spanCount = 0;
  let error = false;
  // Times are nanoseconds from the first span's second on: exact in a number, for 104 days.
  let baseSeconds = 0;
  let earliest = Number.POSITIVE_INFINITY;
  let latest = 0;
  let rootName = '';
  let rootStart = Number.POSITIVE_INFINITY;
  let rootIsLocal = false;

  const lose = (reason: DropReason): void => void losses.set(reason, (losses.get(reason) ?? 0) + 1);

  /** Never throws: what the hook was called for is decided. */
  function say(span: ReadableSpan, start: HrTime, end: HrTime): Said {
    try {
      let content: Content = span;
      if (redact) {
        const copy = redactable(span, redaction);
        if (!redact(copy)) return 'redacted';
        const { name, attributes, events, statusMessage: message } = copy;
        content = { name, attributes, events, status: { code: span.status.code, message } } as Content;
      }
      const json = spanJson(span, content, start, end, redaction);
      if (json.length > maxSpanChars) return 'too-large';
      // Untyped callers name spans by numbers too.
      const name = String(content.name);
      return { json, name: redaction ? redactName(name) : name };
    } catch {
      return 'unencodable';
    }
  }

  function write(span: ReadableSpan): void {
    const start = normalTime(span.startTime);
    let end = normalTime(span.endTime);
    if (!start || !end) throw new TypeError('no instant');
    if (end[0] < start[0] || (end[0] === start[0] && end[1] < start[1])) end = start;
    const said = known.get(span) ?? say(span, start, end);
    if (keeps) known.set(span, said);
    if (typeof said === 'string') {
      lose(said);
      return;
    }
    const { json, name } = said;
    const resource = openResource(span.resource, opened, redaction);
    const scope = openScope(span.instrumentationScope, opened, redaction);
    // Nothing may throw between this and the last push: the span is in the trace, or counted as lost.
    summarize(span, name, start, end);
    let scopes = resources.get(resource);
    if (!scopes) {
      scopes = new Map();
      resources.set(resource, scopes);
    }
    const spans = scopes.get(scope);
    if (spans) spans.push(json);
    else scopes.set(scope, [json]);
  }

  function summarize(span: ReadableSpan, name: string, start: HrTime, end: HrTime): void {
    // A foreign span's getters may throw: they are all read before anything is changed.
    const failed = span.status.code === 2;
    const isLocalRoot = !parentIdOf(span) || span.parentSpanContext?.isRemote === true;
    if (spanCount++ === 0) baseSeconds = start[0];
    const startNanos = (start[0] - baseSeconds) * 1e9 + start[1];
    earliest = Math.min(earliest, startNanos);
    latest = Math.max(latest, (end[0] - baseSeconds) * 1e9 + end[1]);
    error ||= failed;
    if (isLocalRoot === rootIsLocal ? startNanos < rootStart : isLocalRoot) {
      rootName = name;
      rootStart = startNanos;
      rootIsLocal = isLocalRoot;
    }
  }

  return {
    add(span) {
      try {
        write(span);
      } catch {
        lose('unencodable');
      }
    },
    finish(traceId) {
      for (const loss of losses) onDropped(...loss);
      if (spanCount === 0) return undefined;
      const startedAt = baseSeconds * 1_000 + earliest / 1e6;
      const durationMs = (latest - earliest) / 1e6;
      const name = rootName.slice(0, MAX_ROOT_NAME_CHARS).replace(/\p{Surrogate}/gu, '\ufffd');
      return {
        json: resourceSpans(resources),
        summary: { traceId, rootName: name, startedAt, durationMs, spanCount, error },
      };
    },
  };
}

/** ResourceSpans and ScopeSpans, opened by the two functions below, are filled and closed here. */
function resourceSpans(resources: Resources): string {
  const elements: string[] = [];
  for (const [resource, scopes] of resources) {
    const scopeSpans = [...scopes].map(([scope, spans]) => `${scope}${spans.join(',')}]}`);
    elements.push(`${resource}${scopeSpans.join(',')}]}`);
  }
  return elements.join(',');
}

function openResource(
  resource: ReadableSpan['resource'],
  opened: WeakMap<object, string>,
  redaction: boolean,
): string {
  let json = opened.get(resource);
  if (json === undefined) {
    json = openedResource(resource, redaction);
    // Attributes still to come would be missing from every later trace.
    if (!resource.asyncAttributesPending) opened.set(resource, json);
  }
  return json;
}

function openScope(
  scope: ReadableSpan['instrumentationScope'],
  opened: WeakMap<object, string>,
  redaction: boolean,
): string {
  let json = opened.get(scope);
  if (json === undefined) {
    json = openedScope(scope, redaction);
    opened.set(scope, json);
  }
  return json;
}

/** The OTLP/JSON `ExportTraceServiceRequest` of these traces: field 1, `resourceSpans`, and nothing else. */
export function bodyOf(traces: readonly EncodedTrace[]): string {
  return `{"resourceSpans":[${traces.map((trace) => trace.json).join(',')}]}`;
}
