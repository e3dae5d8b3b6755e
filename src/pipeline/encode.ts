/** Stage 2 of 8: spans of one trace in, OTLP/JSON text out. */
import type { HrTime } from '@opentelemetry/api';
import { attributeFields, quote, wellFormed } from './encode-attributes.js';
import { normalTime, parentIdOf, spanJson } from './encode-span.js';
import type { EncodedTrace, ReadableSpan, SpanGroup } from './model.js';

/** Work between two pauses, milliseconds. Under the 5 ms that a task of ours may last. */
const SLICE_MILLIS = 4;

/** Default for {@link TraceEncoderDeps.maxSpanBytes}. */
const MAX_SPAN_BYTES = 1_048_576;

/** What the endpoint takes of a root span's name. */
const MAX_ROOT_NAME_CHARS = 255;

export interface TraceEncoderDeps {
  /**
   * Told how many spans were lost, once for each reason, when the encoding of a group ends. `unencodable`:
   * malformed ids, times that are no instants, getters that throw. `too-large`: over `maxSpanBytes`.
   */
  onDropped(reason: 'unencodable' | 'too-large', count: number): void;
  /** The most characters of JSON that one span may take. Default 1,048,576. */
  maxSpanBytes?: number;
}

/** Neither method throws or rejects on account of a span: the span alone is left out and counted. */
export interface TraceEncoder {
  /**
   * Encodes all spans of one group at once, synchronously: for leaving.
   *
   * @returns undefined when no span could be encoded.
   */
  encode(group: SpanGroup): EncodedTrace | undefined;
  /**
   * The same in slices, while the page lives: `pause` is awaited whenever about 4 ms of work were done since
   * it last was, by this call or by calls before it in the same task.
   *
   * Losses are reported only at the end. A `pause` that rejects abandons the group, unreported, and the
   * promise rejects with its reason: so a page that leaves may encode the same group again by `encode`.
   *
   * @param clock - milliseconds that never go back
   */
  encodeSliced(
    group: SpanGroup,
    pause: () => Promise<void>,
    clock: () => number,
  ): Promise<EncodedTrace | undefined>;
}

/** A trace while it is being written. Times are nanoseconds from `baseSeconds` on: exact in a number. */
interface Draft {
  /** By the text of the resource, by the text of the scope: the spans' text. In the order first seen. */
  resources: Map<string, Map<string, string[]>>;
  baseSeconds: number;
  startNanos: number;
  endNanos: number;
  root: { name: string; startNanos: number; isLocalRoot: boolean } | undefined;
  spanCount: number;
  error: boolean;
  unencodable: number;
  tooLarge: number;
}

export function createTraceEncoder({ onDropped, maxSpanBytes }: TraceEncoderDeps): TraceEncoder {
  const maxChars = maxSpanBytes ?? MAX_SPAN_BYTES;
  const opened = new WeakMap<object, string>();
  let millisSincePause = 0;

  function add(draft: Draft, span: ReadableSpan): void {
    try {
      const start = normalTime(span.startTime);
      let end = normalTime(span.endTime);
      if (!start || !end) throw new TypeError('no instant');
      if (end[0] < start[0] || (end[0] === start[0] && end[1] < start[1])) end = start;
      const json = spanJson(span, start, end);
      const resource = openResource(span.resource, opened);
      const scope = openScope(span.instrumentationScope, opened);
      if (json.length > maxChars) {
        draft.tooLarge++;
        return;
      }
      let scopes = draft.resources.get(resource);
      if (!scopes) {
        scopes = new Map();
        draft.resources.set(resource, scopes);
      }
      const before = scopes.get(scope);
      if (before) before.push(json);
      else scopes.set(scope, [json]);
      summarize(draft, span, start, end);
    } catch {
      draft.unencodable++;
    }
  }

  function finish(draft: Draft, traceId: string): EncodedTrace | undefined {
    if (draft.unencodable > 0) onDropped('unencodable', draft.unencodable);
    if (draft.tooLarge > 0) onDropped('too-large', draft.tooLarge);
    return draft.root && { json: resourceSpans(draft), summary: summaryOf(draft, draft.root.name, traceId) };
  }

  return {
    encode(group) {
      const draft = newDraft();
      for (const span of group.spans) add(draft, span);
      return finish(draft, group.traceId);
    },
    async encodeSliced(group, pause, clock) {
      const draft = newDraft();
      let mark = clock();
      for (const span of group.spans) {
        add(draft, span);
        const now = clock();
        millisSincePause += now - mark;
        mark = now;
        if (millisSincePause >= SLICE_MILLIS) {
          millisSincePause = 0;
          await pause();
          mark = clock();
        }
      }
      return finish(draft, group.traceId);
    },
  };
}

function newDraft(): Draft {
  return {
    resources: new Map(),
    baseSeconds: 0,
    startNanos: Number.POSITIVE_INFINITY,
    endNanos: 0,
    root: undefined,
    spanCount: 0,
    error: false,
    unencodable: 0,
    tooLarge: 0,
  };
}

function summarize(draft: Draft, span: ReadableSpan, start: HrTime, end: HrTime): void {
  if (draft.spanCount++ === 0) draft.baseSeconds = start[0];
  const startNanos = (start[0] - draft.baseSeconds) * 1e9 + start[1];
  const endNanos = (end[0] - draft.baseSeconds) * 1e9 + end[1];
  draft.startNanos = Math.min(draft.startNanos, startNanos);
  draft.endNanos = Math.max(draft.endNanos, endNanos);
  if (span.status.code === 2) draft.error = true;
  const isLocalRoot = !parentIdOf(span) || span.parentSpanContext?.isRemote === true;
  const { root } = draft;
  if (!root || (isLocalRoot === root.isLocalRoot ? startNanos < root.startNanos : isLocalRoot)) {
    draft.root = { name: span.name, startNanos, isLocalRoot };
  }
}

function summaryOf(draft: Draft, rootName: string, traceId: string): EncodedTrace['summary'] {
  return {
    traceId,
    rootName: wellFormed(rootName.slice(0, MAX_ROOT_NAME_CHARS)),
    startedAt: draft.baseSeconds * 1_000 + draft.startNanos / 1e6,
    durationMs: (draft.endNanos - draft.startNanos) / 1e6,
    spanCount: draft.spanCount,
    error: draft.error,
  };
}

/** ResourceSpans and ScopeSpans, opened by the two functions below, are filled and closed here. */
function resourceSpans({ resources }: Draft): string {
  const elements: string[] = [];
  for (const [resource, scopes] of resources) {
    const scopeSpans = Array.from(scopes, ([scope, spans]) => `${scope}${spans.join(',')}]}`);
    elements.push(`${resource}${scopeSpans.join(',')}]}`);
  }
  return elements.join(',');
}

/**
 * ResourceSpans up to its `scopeSpans`; `schemaUrl` (3) first, because the list is what stays open.
 *
 * | # | field | type |
 * | - | --- | --- |
 * | 1 | resource | Resource: attributes (1), droppedAttributesCount (2) |
 * | 2 | scopeSpans | ScopeSpans[] |
 * | 3 | schemaUrl | string |
 */
function openResource(resource: ReadableSpan['resource'], opened: WeakMap<object, string>): string {
  let json = opened.get(resource);
  if (json === undefined) {
    const fields = attributeFields(resource.attributes, 0).slice(1);
    json = `{"resource":{${fields}}${schemaUrlField(resource.schemaUrl)},"scopeSpans":[`;
    // Attributes still to come would be missing from every later trace.
    if (!resource.asyncAttributesPending) opened.set(resource, json);
  }
  return json;
}

/**
 * ScopeSpans up to its `spans`.
 *
 * | # | field | type |
 * | - | --- | --- |
 * | 1 | scope | InstrumentationScope: name (1), version (2), attributes (3), droppedAttributesCount (4) |
 * | 2 | spans | Span[] |
 * | 3 | schemaUrl | string |
 */
function openScope(scope: ReadableSpan['instrumentationScope'], opened: WeakMap<object, string>): string {
  let json = opened.get(scope);
  if (json === undefined) {
    const version = scope.version ? `,"version":${quote(scope.version)}` : '';
    const attributes = attributeFields(scope.attributes, scope.droppedAttributesCount);
    json = `{"scope":{"name":${quote(scope.name)}${version}${attributes}}${schemaUrlField(scope.schemaUrl)},"spans":[`;
    opened.set(scope, json);
  }
  return json;
}

function schemaUrlField(url: string | undefined): string {
  return url ? `,"schemaUrl":${quote(url)}` : '';
}
