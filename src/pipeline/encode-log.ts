/** One log record in, its OTLP/JSON text out. The same as `encode.ts`, of the other signal. */
import type { Attributes, HrTime, SpanContext } from '@opentelemetry/api';
import { type Encode, type EncoderOptions, MAX_ITEM_CHARS, once, shiftOf, timeOf } from './encode.js';
import { anyValue, attributeFields, field, quote } from './encode-attributes.js';
import { redactable, redactName, redactText } from './encode-redact.js';
import { isValid, openedResource, openedScope, textField, unixNano } from './encode-span.js';
import type { ReadableSpan } from './model.js';

type Scope = ReadableSpan['instrumentationScope'];

/**
 * The record as the SDK hands it over, structurally, of whatever copy or major version.
 *
 * @see https://opentelemetry.io/docs/specs/otel/logs/data-model/
 */
export interface ReadableLogRecord {
  readonly hrTime: HrTime;
  readonly hrTimeObserved: HrTime;
  readonly spanContext?: SpanContext | undefined;
  readonly severityText?: string | undefined;
  readonly severityNumber?: number | undefined;
  readonly body?: unknown;
  readonly eventName?: string | undefined;
  readonly resource: ReadableSpan['resource'];
  readonly instrumentationScope: Omit<Scope, 'attributes'> & { readonly attributes?: object };
  readonly attributes: object;
  readonly droppedAttributesCount: number;
}

/** What the user's hook may change of a record. */
export interface RedactableLog {
  eventName: string | undefined;
  body: unknown;
  attributes: Attributes;
}

const NO_TRACE = '';
/** So many records the buffer takes for one trace, of which it keeps all or none. */
const GROUP = 64;
let made = 0;
/** ERROR and above. */
const ERROR_SEVERITY = 17;
const MAX_SEVERITY = 24;

/**
 * LogRecord.
 *
 * | # | field | type | JSON |
 * | - | --- | --- | --- |
 * | 1, 11 | timeUnixNano, observedTimeUnixNano | fixed64 | decimal string |
 * | 2, 3 | severityNumber, severityText | enum, string | number, string |
 * | 5 | body | AnyValue | |
 * | 6, 7 | attributes, droppedAttributesCount | KeyValue[], uint32 | |
 * | 8 | flags | fixed32 | number |
 * | 9, 10 | traceId, spanId | bytes | hex digits |
 * | 12 | eventName | string | |
 *
 * A time that is none is left out, and so are ids that are malformed: neither makes a record worthless.
 *
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/logs/v1/logs.proto
 */
export function createLogEncoder({ redaction, redact, clockOffsetMillis }: EncoderOptions): Encode {
  const opened = new WeakMap<object, string>();

  const write = (record: ReadableLogRecord): ReturnType<Encode> => {
    const shift = shiftOf(clockOffsetMillis());
    const time = timeOf(record.hrTime, shift);
    const observed = timeOf(record.hrTimeObserved, shift) ?? time;
    const said = redact ? copyOf(record, redaction) : record;
    if (redact && !redact(said as never)) return 'redacted';
    const attributes = shift
      ? { ...said.attributes, 'spandrel.clock.offset_millis': shift * 1_000 }
      : (said.attributes ?? {});
    const { severityNumber = 0, severityText, spanContext } = record;
    const severity = severityNumber > 0 && severityNumber <= MAX_SEVERITY ? Math.trunc(severityNumber) : 0;
    const ids = spanContext && isValid(spanContext) ? spanContext : undefined;
    const name = said.eventName === undefined ? undefined : String(said.eventName);
    const fields =
      field('timeUnixNano', time && `"${unixNano(time)}"`) +
      field('observedTimeUnixNano', observed && `"${unixNano(observed)}"`) +
      field('severityNumber', severity) +
      textField('severityText', severityText && String(severityText)) +
      field('body', anyValue(said.body, redaction ? redactText : undefined)) +
      attributeFields(attributes, record.droppedAttributesCount, redaction) +
      (ids ? `,"flags":${ids.traceFlags & 0xff},"traceId":"${ids.traceId}","spanId":"${ids.spanId}"` : '') +
      field('eventName', name && quote(redaction ? redactName(name) : name));
    const json = `{${fields.slice(1)}}`;
    if (json.length > MAX_ITEM_CHARS) return 'too-large';
    const { resource, instrumentationScope } = record;
    return {
      ...{ traceId: NO_TRACE, name: '', startMillis: 0, endMillis: 0 },
      error: severity >= ERROR_SEVERITY,
      resource: once(
        opened,
        resource,
        (one) => openedResource(one, redaction, 'scopeLogs'),
        resource.asyncAttributesPending,
      ),
      scope: once(opened, instrumentationScope, (one) => openedScope(one as Scope, redaction, 'logRecords')),
      json,
    };
  };

  return (item) => {
    try {
      return write((item as unknown as LogItem).record);
    } catch {
      return 'unencodable';
    }
  };
}

/** A copy for the user's hook, redacted as spans are. */
function copyOf({ eventName, body, attributes = {} }: ReadableLogRecord, redaction: boolean): RedactableLog {
  const parts = (given: object): Attributes =>
    redactable({ name: '', attributes: given as Attributes, events: [], status: { code: 0 } }, redaction)
      .attributes;
  return { eventName, attributes: parts(attributes), body: parts({ body: body as string })['body'] };
}

/** A record as the buffer and the filling blob look at what they are given. */
export class LogItem {
  readonly record: ReadableLogRecord;
  readonly resource: ReadableLogRecord['resource'];
  /** What is alike may be an echo of our own way. */
  readonly name: string;
  readonly kind: number | undefined;
  readonly attributes: object;
  readonly #group = String(Math.floor(made++ / GROUP));

  /** @throws {TypeError} where it is no record. */
  constructor(record: ReadableLogRecord) {
    const { resource, eventName, severityNumber, attributes } = record;
    this.record = record;
    this.resource = resource;
    this.name = String(eventName);
    this.kind = severityNumber;
    this.attributes = attributes ?? {};
  }

  /** Records stay in their order, and wait for no trace and nobody's sampling. Where they are too many, some go at once. */
  spanContext(): SpanContext {
    return { traceId: this.#group, spanId: '', traceFlags: 1 };
  }
}
