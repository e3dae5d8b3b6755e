/**
 * The messages of a trace as OTLP/JSON text: Span, Event, Link, Status. Part of stage 2.
 *
 * OTLP 1.11.0, `opentelemetry/proto/trace/v1/trace.proto`. Fields that are empty or zero are left out, as
 * proto3 JSON allows.
 */
import type { HrTime, Link, SpanContext, SpanStatus } from '@opentelemetry/api';
import { attributeFields, quote, remembered, uint32 } from './encode-attributes.js';
import { type Content, redactName, redactText } from './encode-redact.js';
import type { ReadableSpan, TimedEvent } from './span.js';

const TRACE_ID = /^[\da-f]{32}$/;
const SPAN_ID = /^[\da-f]{16}$/;
const NO_SPAN_ID = '0'.repeat(16);
const NO_TRACE_ID = '0'.repeat(32);

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
  return id && id !== NO_SPAN_ID ? id : undefined;
}

/** The same instant in whole seconds and 0 to 999,999,999 ns, or undefined when it is no instant after 1970. */
export function normalTime(time: HrTime): HrTime | undefined {
  const nanos = time[1];
  if (Number.isInteger(time[0]) && Number.isInteger(nanos) && nanos >= 0 && nanos < NANOS_PER_SECOND) {
    return time[0] >= 0 && time[0] < MAX_SECONDS ? time : undefined;
  }
  if (!(nanos >= 0)) return undefined;
  const seconds = Math.trunc(time[0]) + Math.floor(nanos / NANOS_PER_SECOND);
  return seconds >= 0 && seconds < MAX_SECONDS ? [seconds, Math.trunc(nanos % NANOS_PER_SECOND)] : undefined;
}

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
 * | 15 | status | Status | |
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
  if (!isValid(context) || context.traceId === NO_TRACE_ID || context.spanId === NO_SPAN_ID) {
    throw new TypeError('malformed ids');
  }
  if (parentId && !SPAN_ID.test(parentId)) throw new TypeError('malformed parent id');
  return (
    `{"traceId":"${context.traceId}","spanId":"${context.spanId}"` +
    contextFields(context, span.parentSpanContext?.isRemote) +
    (parentId ? `,"parentSpanId":"${parentId}"` : '') +
    `,"name":${quote(redaction ? redactName(String(content.name)) : content.name)},"kind":${span.kind >= 0 && span.kind < 5 ? Math.trunc(span.kind) + 1 : 0}` +
    `,"startTimeUnixNano":"${unixNano(start)}","endTimeUnixNano":"${unixNano(end)}"` +
    attributeFields(content.attributes, span.droppedAttributesCount, redaction) +
    listFields(EVENTS, content.events, span.droppedEventsCount, redaction) +
    listFields(LINKS, span.links, span.droppedLinksCount, redaction) +
    statusField(content.status, redaction) +
    '}'
  );
}

const eventName = /* @__PURE__ */ remembered((name) => {
  const field = (said: string): string => ['","name":', quote(said)].join('');
  return { plain: field(name), redacted: field(redactName(String(name))) };
});

/**
 * Event.
 *
 * | # | field | type |
 * | - | --- | --- |
 * | 1 | timeUnixNano | fixed64 |
 * | 2 | name | string |
 * | 3, 4 | attributes, droppedAttributesCount | KeyValue[], uint32 |
 */
function eventJson(event: TimedEvent, redaction: boolean): string | undefined {
  const time = normalTime(event.time);
  if (!time) return undefined;
  const name = eventName(event.name)[redaction ? 'redacted' : 'plain'];
  const attributes = attributeFields(event.attributes, event.droppedAttributesCount, redaction);
  return `{"timeUnixNano":"${unixNano(time)}${name}${attributes}}`;
}

/**
 * Link.
 *
 * | # | field | type |
 * | - | --- | --- |
 * | 1, 2 | traceId, spanId | bytes |
 * | 3 | traceState | string |
 * | 4, 5 | attributes, droppedAttributesCount | KeyValue[], uint32 |
 * | 6 | flags | fixed32 |
 */
function linkJson(link: Link, redaction: boolean): string | undefined {
  const { context } = link;
  if (!isValid(context)) return undefined;
  return (
    `{"traceId":"${context.traceId}","spanId":"${context.spanId}"` +
    contextFields(context, context.isRemote) +
    attributeFields(link.attributes, link.droppedAttributesCount, redaction) +
    '}'
  );
}

/**
 * Status; OK and ERROR have the API's numbers.
 *
 * | # | field | type |
 * | - | --- | --- |
 * | 2 | message | string |
 * | 3 | code | enum |
 */
function statusField({ code, message }: SpanStatus, redaction: boolean): string {
  const codeField = code === 1 || code === 2 ? `"code":${code}` : '';
  const messageField = message ? `"message":${quote(redaction ? redactText(String(message)) : message)}` : '';
  if (!codeField && !messageField) return '';
  return `,"status":{${codeField}${codeField && messageField && ','}${messageField}}`;
}

function contextFields({ traceFlags, traceState }: SpanContext, isRemote: boolean | undefined): string {
  const state = traceState?.serialize();
  const flags = (traceFlags & 0xff) | HAS_IS_REMOTE | (isRemote ? IS_REMOTE : 0);
  return `,"flags":${flags}${state ? `,"traceState":${quote(state)}` : ''}`;
}

interface ListField<Item> {
  open: string;
  write(item: Item, redaction: boolean): string | undefined;
  dropped: string;
}
const EVENTS: ListField<TimedEvent> = {
  open: ',"events":[',
  write: eventJson,
  dropped: ',"droppedEventsCount":',
};
const LINKS: ListField<Link> = { open: ',"links":[', write: linkJson, dropped: ',"droppedLinksCount":' };

/** A list and the count of what is not in it, each left out when empty. */
function listFields<Item>(
  field: ListField<Item>,
  items: readonly Item[],
  alreadyDropped: number,
  redaction: boolean,
): string {
  let list = '';
  let dropped = uint32(alreadyDropped);
  for (const item of items) {
    const json = field.write(item, redaction);
    if (json === undefined) dropped++;
    else list += list ? `,${json}` : json;
  }
  return (list && `${field.open}${list}]`) + (dropped > 0 ? field.dropped + dropped : '');
}

function isValid(context: SpanContext): boolean {
  return TRACE_ID.test(context.traceId) && SPAN_ID.test(context.spanId);
}

/** Nanoseconds as decimal digits, by text: they do not fit a number, and BigInt is several times slower. */
function unixNano([seconds, nanos]: HrTime): string {
  return seconds === 0 ? String(nanos) : seconds + String(nanos).padStart(9, '0');
}
