/**
 * The messages of a trace as OTLP/JSON text: Span, Event, Link, Status, and what they stand in. Part of stage 2.
 *
 * OTLP 1.11.0, `opentelemetry/proto/trace/v1/trace.proto`. Fields that are empty or zero are left out, as proto3
 * JSON allows.
 */
import type { HrTime, SpanContext } from '@opentelemetry/api';
import { attributeFields, field, listFields, quote } from './encode-attributes.js';
import { type Content, type Rule, redactName, redactText } from './encode-redact.js';
import type { ReadableSpan } from './span.js';

const TRACE_ID = /^[\da-f]{32}$/;
const SPAN_ID = /^[\da-f]{16}$/;
const NONE = /^0*$/;

/** Bit 8 of `flags`: bit 9 is known. The SDK knows it of every span that it starts. */
const HAS_IS_REMOTE = 0x100;
/** Bit 9 of `flags`: the parent (of a link: the linked span) is in another process. */
const IS_REMOTE = 0x200;

const NANOS_PER_SECOND = 1e9;
/** fixed64 nanoseconds end in the year 2554. */
const MAX_SECONDS = 18_446_744_073;

/** The parent's span id, or undefined for the root of a trace. */
export function parentIdOf(span: ReadableSpan): string | undefined {
  const id = span.parentSpanContext?.spanId;
  return id && !NONE.test(id) ? id : undefined;
}

/** The same instant in whole seconds and 0 to 999,999,999 ns, or undefined when it is no instant after 1970. */
export function normalTime(time: HrTime): HrTime | undefined {
  const nanos = time[1];
  const seconds = Math.trunc(time[0]) + Math.floor(nanos / NANOS_PER_SECOND);
  return nanos >= 0 && seconds >= 0 && seconds < MAX_SECONDS
    ? [seconds, Math.trunc(nanos % NANOS_PER_SECOND)]
    : undefined;
}

/** Nanoseconds as decimal digits, by text: they do not fit a number, and BigInt is several times slower. */
export const unixNano = ([seconds, nanos]: HrTime): string =>
  seconds ? seconds + String(nanos).padStart(9, '0') : String(nanos);

/**
 * Span.
 *
 * | # | field | type | JSON |
 * | - | --- | --- | --- |
 * | 1 | traceId | bytes | 32 hex digits |
 * | 2 | spanId | bytes | 16 hex digits |
 * | 3 | traceState | string | |
 * | 4 | parentSpanId | bytes | 16 hex digits |
 * | 16 | flags | fixed32 | number |
 * | 5 | name | string | |
 * | 6 | kind | enum | 1 + the API's number |
 * | 7, 8 | startTimeUnixNano, endTimeUnixNano | fixed64 | decimal string |
 * | 9, 10 | attributes, droppedAttributesCount | KeyValue[], uint32 | |
 * | 11, 12 | events, droppedEventsCount | Event[], uint32 | |
 * | 13, 14 | links, droppedLinksCount | Link[], uint32 | |
 * | 15 | status | Status: message (2), code (3) | OK and ERROR have the API's numbers |
 *
 * Event: timeUnixNano (1), name (2), attributes (3), droppedAttributesCount (4). Link: traceId (1), spanId (2),
 * traceState (3), attributes (4), droppedAttributesCount (5), flags (6). Their types are those of the span.
 *
 * Events with no valid time and links with no valid ids are left out and counted as dropped, because one of
 * them makes readers refuse the whole object.
 *
 * @param content - what the span says of itself: the span, or what the user's hook has left of it
 * @param start, end - normal times, in order
 * @throws {TypeError} when an id of the span or of its parent is malformed; also whatever a getter throws.
 */
export function spanJson(
  span: ReadableSpan,
  content: Content,
  start: HrTime,
  end: HrTime,
  redaction: boolean,
): string {
  const context = span.spanContext();
  const parentId = parentIdOf(span);
  const isGood = isValid(context) && !NONE.test(context.traceId) && !NONE.test(context.spanId);
  if (!isGood || (parentId && !SPAN_ID.test(parentId))) throw new TypeError('malformed ids');
  const said = (text: unknown, rule: Rule): string => quote(redaction ? rule(String(text)) : String(text));
  const { kind } = span;
  const { code, message } = content.status;
  const status =
    field('code', code === 1 || code === 2 ? code : 0) +
    field('message', message && said(message, redactText));
  return (
    contextFields(context, span.parentSpanContext?.isRemote) +
    field('parentSpanId', parentId && `"${parentId}"`) +
    `,"name":${said(content.name, redactName)},"kind":${kind >= 0 && kind < 5 ? Math.trunc(kind) + 1 : 0}` +
    `,"startTimeUnixNano":"${unixNano(start)}","endTimeUnixNano":"${unixNano(end)}"` +
    attributeFields(content.attributes, span.droppedAttributesCount, redaction) +
    listFields(
      'events',
      content.events,
      (event) => {
        const time = normalTime(event.time);
        return (
          time &&
          `{"timeUnixNano":"${unixNano(time)}","name":${said(event.name, redactName)}${attributeFields(event.attributes, event.droppedAttributesCount, redaction)}}`
        );
      },
      'droppedEventsCount',
      span.droppedEventsCount,
    ) +
    listFields(
      'links',
      span.links,
      (link) =>
        isValid(link.context)
          ? `${contextFields(link.context, link.context.isRemote)}${attributeFields(link.attributes, link.droppedAttributesCount, redaction)}}`
          : undefined,
      'droppedLinksCount',
      span.droppedLinksCount,
    ) +
    field('status', status && `{${status.slice(1)}}`) +
    '}'
  );
}

/** What begins a span and a link. */
function contextFields(
  { traceId, spanId, traceFlags, traceState }: SpanContext,
  isRemote: boolean | undefined,
): string {
  const flags = (traceFlags & 0xff) | HAS_IS_REMOTE | (isRemote ? IS_REMOTE : 0);
  const state = traceState?.serialize();
  return `{"traceId":"${traceId}","spanId":"${spanId}","flags":${flags}${textField('traceState', state)}`;
}

export const isValid = ({ traceId, spanId }: SpanContext): boolean =>
  TRACE_ID.test(traceId) && SPAN_ID.test(spanId);

export const textField = (name: string, text: string | undefined): string => field(name, text && quote(text));

/**
 * ResourceSpans up to its `scopeSpans`, or ResourceLogs up to its `scopeLogs`; `schemaUrl` (3) first, because the list is what stays open.
 *
 * | # | field | type |
 * | - | --- | --- |
 * | 1 | resource | Resource: attributes (1), droppedAttributesCount (2) |
 * | 2 | scopeSpans | ScopeSpans[] |
 * | 3 | schemaUrl | string |
 */
export const openedResource = (
  { attributes, schemaUrl }: ReadableSpan['resource'],
  redaction: boolean,
  list = 'scopeSpans',
): string =>
  `{"resource":{${attributeFields(attributes, 0, redaction).slice(1)}}${textField('schemaUrl', schemaUrl)},"${list}":[`;

/**
 * ScopeSpans up to its `spans`, or ScopeLogs up to its `logRecords`.
 *
 * | # | field | type |
 * | - | --- | --- |
 * | 1 | scope | InstrumentationScope: name (1), version (2), attributes (3), droppedAttributesCount (4) |
 * | 2 | spans | Span[] |
 * | 3 | schemaUrl | string |
 */
export function openedScope(
  scope: ReadableSpan['instrumentationScope'],
  redaction: boolean,
  list = 'spans',
): string {
  const attributes = attributeFields(scope.attributes, scope.droppedAttributesCount, redaction);
  return `{"scope":{"name":${quote(scope.name)}${textField('version', scope.version)}${attributes}}${textField('schemaUrl', scope.schemaUrl)},"${list}":[`;
}
