/**
 * OTLP/JSON back into the spans that an OpenTelemetry serializer takes: it has no other door.
 *
 * Every field that such a serializer writes is here. What it cannot be told, since it takes a number for each integer
 * and each double: an `intValue` that no number holds exactly becomes the string of its digits, and a `doubleValue`
 * that is a whole number below 2^63 becomes an integer, -0 too; and it writes no `droppedAttributesCount` of a resource.
 */

import type { SpanContext } from '@opentelemetry/api';
import { parseJson } from '../json.js';
import type { ReadableSpan } from '../pipeline/model.js';

type HrTime = [number, number];

/** As `encode*.ts` writes them: what is empty or zero is absent. */
interface Json {
  resourceSpans?: { resource?: JsonAttributes; scopeSpans?: JsonScopeSpans[]; schemaUrl?: string }[];
}

interface JsonAttributes {
  attributes?: JsonKeyValue[];
  droppedAttributesCount?: number;
}

interface JsonScopeSpans {
  scope?: JsonAttributes & { name?: string; version?: string };
  spans?: JsonSpan[];
  schemaUrl?: string;
}

interface JsonKeyValue {
  key: string;
  value?: JsonAnyValue;
}

interface JsonAnyValue {
  stringValue?: string;
  boolValue?: boolean;
  intValue?: string;
  doubleValue?: number | string;
  arrayValue?: { values?: JsonAnyValue[] };
  kvlistValue?: { values?: JsonKeyValue[] };
  bytesValue?: string;
}

interface JsonContext {
  traceId: string;
  spanId: string;
  flags?: number;
  traceState?: string;
}

interface JsonSpan extends JsonContext, JsonAttributes {
  parentSpanId?: string;
  name?: string;
  kind?: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  events?: (JsonAttributes & { timeUnixNano: string; name?: string })[];
  droppedEventsCount?: number;
  links?: (JsonContext & JsonAttributes)[];
  droppedLinksCount?: number;
  status?: { code?: number; message?: string };
}

/** Bit 9 of `flags`. */
const IS_REMOTE = 0x200;

/**
 * The spans of a request, in its order. Those of one `resourceSpans` share one resource object, and those of one
 * `scopeSpans` one scope object, by which serializers tell them apart.
 *
 * @param json the text of one OTLP/JSON `ExportTraceServiceRequest`.
 * @throws when it is none.
 */
export function spansOf(json: string): ReadableSpan[] {
  const { resourceSpans = [] } = parseJson(json) as Json;
  return resourceSpans.flatMap(({ resource = {}, scopeSpans = [], schemaUrl }) => {
    const ofResource = { attributes: attributesOf(resource), ...(schemaUrl && { schemaUrl }) };
    return scopeSpans.flatMap(({ scope = {}, spans = [], schemaUrl }) => {
      const ofScope = {
        name: scope.name ?? '',
        ...(scope.version && { version: scope.version }),
        ...(schemaUrl && { schemaUrl }),
        attributes: attributesOf(scope),
        droppedAttributesCount: scope.droppedAttributesCount ?? 0,
      };
      return spans.map((span) => spanOf(span, ofResource, ofScope));
    });
  });
}

function spanOf(
  span: JsonSpan,
  resource: ReadableSpan['resource'],
  instrumentationScope: ReadableSpan['instrumentationScope'],
): ReadableSpan {
  const { flags = 0, parentSpanId = '', kind = 0, status = {} } = span;
  const { startTimeUnixNano, endTimeUnixNano, events = [], links = [] } = span;
  const context = contextOf(span);
  const startTime = timeOf(startTimeUnixNano);
  const endTime = timeOf(endTimeUnixNano);
  return {
    name: span.name ?? '',
    // The API's numbers begin with INTERNAL, which OTLP counts as 1.
    kind: kind - 1,
    spanContext: () => context,
    // A parent without an id is not written; that it was remote is.
    parentSpanContext: {
      traceId: span.traceId,
      spanId: parentSpanId,
      traceFlags: 0,
      isRemote: (flags & IS_REMOTE) !== 0,
    },
    startTime,
    endTime,
    duration: durationOf(startTime, endTime),
    ended: true,
    status: { code: status.code ?? 0, ...(status.message && { message: status.message }) },
    attributes: attributesOf(span),
    droppedAttributesCount: span.droppedAttributesCount ?? 0,
    events: events.map((event) => ({
      time: timeOf(event.timeUnixNano),
      name: event.name ?? '',
      attributes: attributesOf(event),
      droppedAttributesCount: event.droppedAttributesCount ?? 0,
    })),
    droppedEventsCount: span.droppedEventsCount ?? 0,
    links: links.map((link) => ({
      context: contextOf(link),
      attributes: attributesOf(link),
      droppedAttributesCount: link.droppedAttributesCount ?? 0,
    })),
    droppedLinksCount: span.droppedLinksCount ?? 0,
    resource,
    instrumentationScope,
  };
}

function contextOf({ traceId, spanId, flags = 0, traceState }: JsonContext): SpanContext {
  return {
    traceId,
    spanId,
    traceFlags: flags & 0xff,
    isRemote: (flags & IS_REMOTE) !== 0,
    // Nothing but its text is ever asked for.
    ...(traceState && { traceState: { serialize: () => traceState } as SpanContext['traceState'] & object }),
  };
}

/** Decimal nanoseconds, by text: they do not fit a number. */
function timeOf(nanos: string): HrTime {
  return [Number(nanos.slice(0, -9)), Number(nanos.slice(-9))];
}

function durationOf(start: HrTime, end: HrTime): HrTime {
  const nanos = end[1] - start[1];
  return nanos < 0 ? [end[0] - start[0] - 1, nanos + 1e9] : [end[0] - start[0], nanos];
}

function attributesOf({ attributes = [] }: JsonAttributes): NonNullable<ReadableSpan['attributes']> {
  return mapOf(attributes) as NonNullable<ReadableSpan['attributes']>;
}

/** Without a prototype, so that a key may have any name. */
function mapOf(pairs: JsonKeyValue[]): Record<string, unknown> {
  const map: Record<string, unknown> = Object.create(null);
  for (const { key, value } of pairs) map[key] = anyValueOf(value ?? {});
  return map;
}

function anyValueOf(value: JsonAnyValue): unknown {
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.boolValue !== undefined) return value.boolValue;
  if (value.intValue !== undefined) return integerOf(value.intValue);
  // NaN and the infinities are strings.
  if (value.doubleValue !== undefined) return Number(value.doubleValue);
  if (value.arrayValue) return (value.arrayValue.values ?? []).map(anyValueOf);
  if (value.kvlistValue) return mapOf(value.kvlistValue.values ?? []);
  if (value.bytesValue !== undefined) {
    return Uint8Array.from(atob(value.bytesValue), (char) => char.charCodeAt(0));
  }
  return null;
}

function integerOf(digits: string): number | string {
  const number = Number(digits);
  return Number.isSafeInteger(number) || BigInt(digits) === BigInt(number) ? number : digits;
}
