/**
 * A span as OpenTelemetry's processors take it: {@link ReadableSpan} to read, and the API's `Span` for those that add
 * to it when it starts, or end it when the page leaves.
 *
 * @see https://opentelemetry.io/docs/specs/otel/trace/sdk/#additional-span-interfaces
 */
import {
  type Attributes,
  type AttributeValue,
  type Exception,
  type HrTime,
  type Link,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanStatus,
  SpanStatusCode,
  type TimeInput,
} from '@opentelemetry/api';
import type { OpenSpan, ReadableSpan, TimedEvent } from '../pipeline/span.js';
import { exceptionAttributes } from '../spa/thrown.js';
import type { EventSpanProcessor } from './names.js';
import { durationOf, hrTimeOf, millisOf } from './time.js';

/** Links of a span. The specification's default. */
const MAX_LINKS = 128;

/** What the spans of one session have in common. */
export interface SpanFrame {
  readonly resource: ReadableSpan['resource'];
  readonly instrumentationScope: ReadableSpan['instrumentationScope'];
  readonly maxEvents: number;
  readonly maxAttributes: number;
  /** Epoch milliseconds. */
  now(): number;
  /** An event gave way to a later one. */
  displaced(): void;
}

/** What a span is told when it starts. */
export interface SpanStart {
  readonly name: string;
  readonly context: SpanContext;
  readonly parent: SpanContext | undefined;
  readonly atMillis: number;
  readonly startTime: HrTime;
  readonly attributes: Attributes;
  readonly droppedAttributesCount: number;
  /** Where it goes in place of the session's processor. */
  readonly processor?: EventSpanProcessor | undefined;
  /** Ends it, in the tree as well; by its own {@link EventSpan.finish}. */
  end(atMillis: number): void;
}

const isPrimitive = (value: unknown): boolean =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

const isValue = (value: unknown): value is AttributeValue =>
  Array.isArray(value) ? value.every((item) => item == null || isPrimitive(item)) : isPrimitive(value);

export class EventSpan implements Span, OpenSpan {
  readonly kind: SpanKind = SpanKind.INTERNAL;
  name: string;
  parentSpanContext?: SpanContext;
  startTime: HrTime;
  endTime: HrTime = [0, 0];
  duration: HrTime = [0, 0];
  status: SpanStatus = { code: SpanStatusCode.UNSET };
  ended = false;
  readonly attributes: Attributes;
  readonly events: TimedEvent[] = [];
  readonly links: Link[] = [];
  readonly resource: ReadableSpan['resource'];
  readonly instrumentationScope: ReadableSpan['instrumentationScope'];
  droppedAttributesCount: number;
  droppedEventsCount = 0;
  droppedLinksCount = 0;
  readonly processor: EventSpanProcessor | undefined;
  /** Epoch milliseconds. */
  startMillis: number;
  /** The latest that anything has happened to it or in it. */
  lastMillis: number;
  readonly #context: SpanContext;
  readonly #frame: SpanFrame;
  readonly #end: (atMillis: number) => void;
  #attributeCount: number;

  constructor(start: SpanStart, frame: SpanFrame) {
    this.#context = start.context;
    this.#frame = frame;
    this.#end = start.end;
    this.processor = start.processor;
    this.name = start.name;
    if (start.parent) this.parentSpanContext = start.parent;
    this.startTime = start.startTime;
    this.startMillis = this.lastMillis = start.atMillis;
    this.attributes = start.attributes;
    this.#attributeCount = Object.keys(start.attributes).length;
    this.droppedAttributesCount = start.droppedAttributesCount;
    this.resource = frame.resource;
    this.instrumentationScope = frame.instrumentationScope;
  }

  spanContext(): SpanContext {
    return this.#context;
  }

  isRecording(): boolean {
    return !this.ended;
  }

  setAttribute(key: string, value: unknown): this {
    if (this.ended || !key || !isValue(value)) return this;
    const isNew = !Object.hasOwn(this.attributes, key);
    if (isNew && this.#attributeCount >= this.#frame.maxAttributes) this.droppedAttributesCount++;
    else {
      if (isNew) this.#attributeCount++;
      this.attributes[key] = value;
    }
    return this;
  }

  setAttributes(attributes: Attributes): this {
    for (const key of Object.keys(attributes)) this.setAttribute(key, attributes[key]);
    return this;
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    const isTimed =
      typeof attributesOrTime === 'number' ||
      Array.isArray(attributesOrTime) ||
      attributesOrTime instanceof Date;
    const attributes = isTimed ? {} : ((attributesOrTime as Attributes | undefined) ?? {});
    return this.note(name, this.#millis(isTimed ? attributesOrTime : time), attributes, 0);
  }

  /** Adds an event. The oldest gives way where there are too many, as in OpenTelemetry's SDK. */
  note(name: string, atMillis: number, attributes: Attributes, droppedAttributesCount: number): this {
    if (this.ended) return this;
    if (this.events.length >= this.#frame.maxEvents) {
      this.events.shift();
      this.droppedEventsCount++;
      this.#frame.displaced();
    }
    this.events.push({ name, time: hrTimeOf(atMillis), attributes, droppedAttributesCount });
    return this.touch(atMillis);
  }

  addLink(link: Link): this {
    if (this.ended) return this;
    if (this.links.length < MAX_LINKS) this.links.push({ ...link });
    else this.droppedLinksCount++;
    return this;
  }

  addLinks(links: Link[]): this {
    for (const link of links) this.addLink(link);
    return this;
  }

  /** Ok is final; Unset changes nothing. */
  setStatus({ code, message }: SpanStatus): this {
    if (this.ended || code === SpanStatusCode.UNSET || this.status.code === SpanStatusCode.OK) return this;
    const isTold = code === SpanStatusCode.ERROR && message;
    this.status = isTold ? { code, message } : { code };
    return this;
  }

  updateName(name: string): this {
    if (!this.ended) this.name = name;
    return this;
  }

  recordException(exception: Exception, time?: TimeInput): void {
    this.note('exception', this.#millis(time), exceptionAttributes(exception, {}), 0);
  }

  /** For those who have it from a processor; `time` is epoch milliseconds, a Date or a pair. */
  end(time?: TimeInput): void {
    if (!this.ended) this.#end(this.#millis(time));
  }

  /** Something has happened in it. */
  touch(atMillis: number): this {
    if (atMillis > this.lastMillis) this.lastMillis = atMillis;
    return this;
  }

  /** It has gone on since before it was begun: what is in it came late. */
  startNoLaterThan(atMillis: number): void {
    if (this.ended || atMillis >= this.startMillis) return;
    this.startMillis = atMillis;
    this.startTime = hrTimeOf(atMillis);
  }

  /** Ends it, not before its start. For the tree. */
  finish(atMillis: number): void {
    this.endTime = atMillis > this.startMillis ? hrTimeOf(atMillis) : this.startTime;
    this.duration = durationOf(this.startTime, this.endTime);
    this.ended = true;
  }

  #millis(time: TimeInput | undefined): number {
    const given = Array.isArray(time) ? time[0] * 1e3 + time[1] / 1e6 : time;
    return (given === undefined ? undefined : millisOf(given)) ?? this.#frame.now();
  }
}
