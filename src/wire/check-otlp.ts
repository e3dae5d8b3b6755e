/**
 * What an OTLP/JSON `ExportTraceServiceRequest` or `ExportLogsServiceRequest` is made of, message by message.
 *
 * OTLP 1.11.0: `opentelemetry/proto/trace/v1/trace.proto`, `logs/v1/logs.proto`, `common/v1/common.proto`,
 * `resource/v1/resource.proto`.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */

import type { Signal } from '../object-key.js';
import {
  base64,
  boolean,
  type Check,
  type CheckState,
  double,
  enumUpTo,
  int64,
  list,
  message,
  nanos,
  text,
  uint32,
} from './check-json.js';
import { type LogRecordJson, SIGNALS, type SpanJson } from './otlp-json.js';

const nested =
  (check: () => Check): Check =>
  (value, state) => {
    if (state.depth >= state.limits.maxDepth) return ' is nested too deeply';
    state.depth++;
    const wrong = check()(value, state);
    state.depth--;
    return wrong;
  };

const anyValueFields: Check = message({
  stringValue: text,
  boolValue: boolean,
  intValue: int64,
  doubleValue: double,
  arrayValue: nested(() => arrayValue),
  kvlistValue: nested(() => keyValueList),
  bytesValue: base64,
});

const anyValue: Check = (value, state) => {
  const wrong = anyValueFields(value, state);
  if (wrong) return wrong;
  return Object.keys(value as object).length > 1 ? ' has several values' : undefined;
};

const keyValue: Check = message({ key: text, value: anyValue });
const attributes: Check = list(keyValue, (limits) => limits.maxAttributes);
const arrayValue: Check = message({ values: list(anyValue) });
const keyValueList: Check = message({ values: attributes });

const attributed = { attributes, droppedAttributesCount: uint32 };

const TRACE_ID = /^[\da-f]{32}$/i;
const SPAN_ID = /^[\da-f]{16}$/i;
const ZEROS = /^0*$/;
const id =
  (digits: RegExp): Check =>
  (value) => {
    if (typeof value !== 'string' || !digits.test(value)) return ' is no id in hexadecimal digits';
    return ZEROS.test(value) ? ' is zero' : undefined;
  };
/** Zeros too. */
const emptyOr =
  (digits: RegExp): Check =>
  (value) =>
    value === '' || (typeof value === 'string' && digits.test(value))
      ? undefined
      : ' is no id in hexadecimal digits';

const ids = { traceId: id(TRACE_ID), spanId: id(SPAN_ID), traceState: text, flags: uint32 };

const event: Check = message({ timeUnixNano: nanos, name: text, ...attributed });
const link: Check = message({ ...ids, ...attributed }, ['traceId', 'spanId']);
const status: Check = message({ message: text, code: enumUpTo(2) });

const spanFields: Check = message(
  {
    ...ids,
    // Of a root it is empty, and some write zeros.
    parentSpanId: emptyOr(SPAN_ID),
    name: text,
    kind: enumUpTo(5),
    startTimeUnixNano: nanos,
    endTimeUnixNano: nanos,
    ...attributed,
    events: list(event, (limits) => limits.maxEvents),
    droppedEventsCount: uint32,
    links: list(link, (limits) => limits.maxEvents),
    droppedLinksCount: uint32,
    status,
  },
  ['traceId', 'spanId'],
);

const span: Check = (value, state: CheckState) => {
  if (++state.spanCount > state.limits.maxSpans) return `: more than ${state.limits.maxSpans} spans`;
  const wrong = spanFields(value, state);
  if (wrong) return wrong;
  const ours = value as SpanJson;
  ours.traceId = ours.traceId.toLowerCase();
  ours.spanId = ours.spanId.toLowerCase();
  return undefined;
};

const entityRef: Check = message({
  schemaUrl: text,
  type: text,
  idKeys: list(text, (limits) => limits.maxAttributes),
  descriptionKeys: list(text, (limits) => limits.maxAttributes),
});
const resource: Check = message({
  ...attributed,
  entityRefs: list(entityRef, (limits) => limits.maxAttributes),
});
const scope: Check = message({ name: text, version: text, ...attributed });

const SEVERITY_MAX = 24;
const logRecordFields: Check = message({
  timeUnixNano: nanos,
  observedTimeUnixNano: nanos,
  severityNumber: enumUpTo(SEVERITY_MAX),
  severityText: text,
  body: anyValue,
  ...attributed,
  flags: uint32,
  // Empty where a record is of no trace; zeros are written by some.
  traceId: emptyOr(TRACE_ID),
  spanId: emptyOr(SPAN_ID),
  eventName: text,
});

const logRecord: Check = (value, state: CheckState) => {
  if (++state.spanCount > state.limits.maxSpans) return `: more than ${state.limits.maxSpans} log records`;
  const wrong = logRecordFields(value, state);
  if (wrong) return wrong;
  const ours = value as LogRecordJson;
  for (const name of ['traceId', 'spanId'] as const) {
    const id = ours[name];
    if (id !== undefined) ours[name] = id.toLowerCase();
  }
  return undefined;
};

/** Before OTLP 1.0 spans were here; passed over they would be lost without a word. */
const tooOld: Check = () => ' is of an OTLP before 1.0';

/** What each signal's requests are made of. */
export interface SignalChecks {
  /** A whole request; on the way ids become lowercase, and what is unknown or null goes. */
  request: Check;
  /** One entry of the request's list: a resource with scopes, whose items are not looked at. */
  ofResource: Check;
  /** One scope, whose items are not looked at. */
  ofScope: Check;
  /** One span, or one log record. */
  item: Check;
}

const unseen: Check = () => undefined;

function checksOf(signal: Signal, item: Check): SignalChecks {
  const { resources, scopes, items } = SIGNALS[signal];
  const many = (check: Check): Check => list(check, (limits) => limits.maxSpans);
  const scopeOf = (ofItems: Check): Check => message({ scope, [items]: ofItems, schemaUrl: text });
  const resourceOf = (ofScopes: Check): Check =>
    message({
      ...{ resource, [scopes]: ofScopes, schemaUrl: text },
      ...(signal === 'traces' ? { instrumentationLibrarySpans: tooOld } : {}),
    });
  return {
    request: message({ [resources]: many(resourceOf(many(scopeOf(list(item))))) }, [resources]),
    ofResource: resourceOf(many(unseen)),
    ofScope: scopeOf(list(unseen)),
    item,
  };
}

export const CHECKS: Record<Signal, SignalChecks> = {
  traces: checksOf('traces', span),
  logs: checksOf('logs', logRecord),
};
