/**
 * The messages of OTLP's protobuf, by their field numbers, with the names and the encodings that OTLP/JSON has for them.
 *
 * OTLP 1.11.0: `opentelemetry/proto/{trace,logs,common,resource}/v1/*.proto`.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 */
import type { Signal } from '../../object-key.js';

/** How a value is written in protobuf, and with it how in JSON. */
export type Scalar =
  | 'text'
  | 'hex'
  | 'base64'
  | 'bool'
  | 'int64'
  | 'int32'
  | 'uint32'
  | 'fixed64'
  | 'fixed32'
  | 'double';

export interface Field {
  name: string;
  of: Scalar | Message;
  isList: boolean;
}

export interface Message {
  /** By number. */
  fields: (Field | undefined)[];
  /** Whether of all its fields only the last counts. */
  isOneOf: boolean;
}

const one = (name: string, of: Scalar | Message): Field => ({ name, of, isList: false });
const many = (name: string, of: Scalar | Message): Field => ({ name, of, isList: true });
const message = (fields: Record<number, Field>): Message => ({
  fields: Object.entries(fields).reduce<Message['fields']>((all, [number, field]) => {
    all[Number(number)] = field;
    return all;
  }, []),
  isOneOf: false,
});

const anyValue: Message = { fields: [], isOneOf: true };
const keyValue = message({ 1: one('key', 'text'), 2: one('value', anyValue) });
anyValue.fields = message({
  1: one('stringValue', 'text'),
  2: one('boolValue', 'bool'),
  3: one('intValue', 'int64'),
  4: one('doubleValue', 'double'),
  5: one('arrayValue', message({ 1: many('values', anyValue) })),
  6: one('kvlistValue', message({ 1: many('values', keyValue) })),
  7: one('bytesValue', 'base64'),
}).fields;

const attributes = many('attributes', keyValue);
const droppedAttributesCount = one('droppedAttributesCount', 'uint32');
const entityRef = message({
  1: one('schemaUrl', 'text'),
  2: one('type', 'text'),
  3: many('idKeys', 'text'),
  4: many('descriptionKeys', 'text'),
});
const resource = message({ 1: attributes, 2: droppedAttributesCount, 3: many('entityRefs', entityRef) });
const scope = message({
  1: one('name', 'text'),
  2: one('version', 'text'),
  3: attributes,
  4: droppedAttributesCount,
});
const event = message({
  1: one('timeUnixNano', 'fixed64'),
  2: one('name', 'text'),
  3: attributes,
  4: droppedAttributesCount,
});
const link = message({
  1: one('traceId', 'hex'),
  2: one('spanId', 'hex'),
  3: one('traceState', 'text'),
  4: attributes,
  5: droppedAttributesCount,
  6: one('flags', 'fixed32'),
});
const span = message({
  1: one('traceId', 'hex'),
  2: one('spanId', 'hex'),
  3: one('traceState', 'text'),
  4: one('parentSpanId', 'hex'),
  5: one('name', 'text'),
  6: one('kind', 'int32'),
  7: one('startTimeUnixNano', 'fixed64'),
  8: one('endTimeUnixNano', 'fixed64'),
  9: attributes,
  10: droppedAttributesCount,
  11: many('events', event),
  12: one('droppedEventsCount', 'uint32'),
  13: many('links', link),
  14: one('droppedLinksCount', 'uint32'),
  15: one('status', message({ 2: one('message', 'text'), 3: one('code', 'int32') })),
  16: one('flags', 'fixed32'),
});
const logRecord = message({
  1: one('timeUnixNano', 'fixed64'),
  2: one('severityNumber', 'int32'),
  3: one('severityText', 'text'),
  5: one('body', anyValue),
  6: attributes,
  7: droppedAttributesCount,
  8: one('flags', 'fixed32'),
  9: one('traceId', 'hex'),
  10: one('spanId', 'hex'),
  11: one('observedTimeUnixNano', 'fixed64'),
  12: one('eventName', 'text'),
});

const request = (resources: string, scopes: string, items: string, item: Message): Message =>
  message({
    1: many(
      resources,
      message({
        1: one('resource', resource),
        2: many(
          scopes,
          message({ 1: one('scope', scope), 2: many(items, item), 3: one('schemaUrl', 'text') }),
        ),
        3: one('schemaUrl', 'text'),
      }),
    ),
  });

/** `ExportTraceServiceRequest` and `ExportLogsServiceRequest`. */
export const REQUESTS: Record<Signal, Message> = {
  traces: request('resourceSpans', 'scopeSpans', 'spans', span),
  logs: request('resourceLogs', 'scopeLogs', 'logRecords', logRecord),
};
