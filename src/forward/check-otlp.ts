/**
 * What an OTLP/JSON `ExportTraceServiceRequest` is made of, message by message.
 *
 * OTLP 1.11.0: `opentelemetry/proto/trace/v1/trace.proto`, `common/v1/common.proto`, `resource/v1/resource.proto`.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
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
import type { SpanJson } from './otlp-json.js';

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
/** Of a root it is empty, and some write zeros. */
const parentId: Check = (value) =>
  value === '' || (typeof value === 'string' && SPAN_ID.test(value))
    ? undefined
    : ' is no id in hexadecimal digits';

const ids = { traceId: id(TRACE_ID), spanId: id(SPAN_ID), traceState: text, flags: uint32 };

const event: Check = message({ timeUnixNano: nanos, name: text, ...attributed });
const link: Check = message({ ...ids, ...attributed }, ['traceId', 'spanId']);
const status: Check = message({ message: text, code: enumUpTo(2) });

const spanFields: Check = message(
  {
    ...ids,
    parentSpanId: parentId,
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
const scopeSpans: Check = message({ scope, spans: list(span), schemaUrl: text });
/** Before OTLP 1.0 spans were here; passed over they would be lost without a word. */
const tooOld: Check = () => ' is of an OTLP before 1.0';
const resourceSpans: Check = message({
  resource,
  scopeSpans: list(scopeSpans, (limits) => limits.maxSpans),
  schemaUrl: text,
  instrumentationLibrarySpans: tooOld,
});

/** A whole request; on the way ids become lowercase, and what is unknown or null goes. */
export const exportRequest: Check = message(
  { resourceSpans: list(resourceSpans, (limits) => limits.maxSpans) },
  ['resourceSpans'],
);
