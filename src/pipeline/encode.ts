/** One ended span in, its OTLP/JSON text out: written once, as it is stored. */
import type { HrTime } from '@opentelemetry/api';
import type { RedactableSpan } from '../page-options.js';
import { type Content, redactable, redactName } from './encode-redact.js';
import { normalTime, openedResource, openedScope, spanJson } from './encode-span.js';
import type { DropReason, ReadableSpan } from './model.js';

/** The most characters of JSON that one span, or log record, may take; it could fill a blob alone. */
export const MAX_ITEM_CHARS = 1_048_576;
/** A clock that is off by less than this is taken for right. */
const MAX_CLOCK_ERROR_MILLIS = 60_000;

export interface EncodedSpan {
  traceId: string;
  /** Redacted. */
  name: string;
  /** Epoch milliseconds. */
  startMillis: number;
  endMillis: number;
  error: boolean;
  /** See `SpanTexts`. */
  resource: string;
  scope: string;
  json: string;
}

export interface EncoderOptions {
  /** See `PrivacyOptions`. */
  redaction: boolean;
  /** Called once for each span. It may change the span, and says whether it is kept. */
  redact: ((span: RedactableSpan) => boolean) | undefined;
  /** By how much the server's clock is ahead of ours, as far as is known. */
  clockOffsetMillis(): number;
}

/** Never throws on account of a span: then it says why nothing is written of it. */
export type Encode = (span: ReadableSpan) => EncodedSpan | DropReason;

export function createEncoder({ redaction, redact, clockOffsetMillis }: EncoderOptions): Encode {
  /** Resources and scopes that were written before. */
  const opened = new WeakMap<object, string>();

  function write(span: ReadableSpan): EncodedSpan | DropReason {
    const shift = shiftOf(clockOffsetMillis());
    const start = timeOf(span.startTime, shift);
    let end = timeOf(span.endTime, shift);
    if (!start || !end) return 'unencodable';
    if ((end[0] - start[0] || end[1] - start[1]) < 0) end = start;
    let content: Content = span;
    if (redact) {
      const copy = redactable(span, redaction);
      if (!redact(copy)) return 'redacted';
      const { code } = span.status;
      content = { ...copy, status: { code, message: copy.statusMessage } } as unknown as Content;
    }
    if (shift) content = shifted(content, shift);
    const json = spanJson(span, content, start, end, redaction);
    if (json.length > MAX_ITEM_CHARS) return 'too-large';
    // Untyped callers name spans by numbers too.
    const name = String(content.name);
    return {
      traceId: span.spanContext().traceId,
      name: redaction ? redactName(name) : name,
      startMillis: millisOf(start),
      endMillis: millisOf(end),
      error: span.status.code === 2,
      resource: once(
        opened,
        span.resource,
        (one) => openedResource(one, redaction),
        span.resource.asyncAttributesPending,
      ),
      scope: once(opened, span.instrumentationScope, (one) => openedScope(one, redaction)),
      json,
    };
  }

  return (span) => {
    try {
      return write(span);
    } catch {
      return 'unencodable';
    }
  };
}

/** What was written before, or now. Attributes still to come (`isPending`) would be missing from every later one. */
export function once<T extends object>(
  opened: WeakMap<object, string>,
  of: T,
  write: (of: T) => string,
  isPending?: boolean,
): string {
  const json = opened.get(of) ?? write(of);
  if (!isPending) opened.set(of, json);
  return json;
}

/** Seconds by which times are shifted; whole, so that they stay exact. 0 where our clock is as good as the server's. */
export const shiftOf = (offsetMillis: number): number =>
  Math.abs(offsetMillis) > MAX_CLOCK_ERROR_MILLIS ? Math.round(offsetMillis / 1_000) : 0;

const millisOf = ([seconds, nanos]: HrTime): number => seconds * 1e3 + nanos / 1e6;

/** A normal time, `shift` seconds later; what would be before 1970 stays as it is. */
export function timeOf(time: HrTime, shift: number): HrTime | undefined {
  const normal = normalTime(time);
  return normal && shift ? (normalTime([normal[0] + shift, normal[1]]) ?? normal) : normal;
}

/** The same by the server's clock, and marked. */
function shifted(content: Content, seconds: number): Content {
  return {
    ...content,
    name: content.name,
    status: content.status,
    attributes: { ...content.attributes, 'spandrel.clock.offset_millis': seconds * 1_000 },
    events: content.events.map((event) => ({ ...event, time: timeOf(event.time, seconds) ?? event.time })),
  };
}
