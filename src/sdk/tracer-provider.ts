/**
 * A tracer provider, small: that of `start()` and of the edge. Apps bring OpenTelemetry's, and those are all served.
 *
 * The package is 4 kB (Brotli): metrics of itself, views for Node's inspector, flushing with
 * deadlines, limits from configuration. Spans come out as the package's do, with its default limits; the test compares
 * them field by field. Misuse (a span ended twice, an attribute that is none) is ignored as there, without a log line.
 *
 * @see https://opentelemetry.io/docs/specs/otel/trace/sdk/
 */
import {
  type Attributes,
  type AttributeValue,
  type Context,
  context,
  type Exception,
  type HrTime,
  INVALID_SPAN_CONTEXT,
  type Link,
  type Span,
  type SpanContext,
  type SpanKind,
  type SpanOptions,
  type SpanStatus,
  type TimeInput,
  type Tracer,
  type TracerProvider,
  type TraceState,
  trace,
} from '@opentelemetry/api';
import type { ReadableSpan } from '../pipeline/model.js';
import { RANDOM } from './trace-context.js';

/** Attributes of a span, an event or a link; events and links of a span. The specification's default. */
const LIMIT = 128;

// The API's enums by their numbers: its objects would be shipped for a few of them.

const SUPPRESS_TRACING = Symbol.for('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

export interface SamplingResult {
  /** Not recorded, recorded, recorded and sampled: `SamplingDecision` of whatever SDK. */
  decision: 0 | 1 | 2;
  attributes?: Readonly<Attributes>;
  traceState?: TraceState;
}

/** OpenTelemetry's, of the SDK's second and third major version. */
export interface Sampler {
  shouldSample(
    context: Context,
    traceId: string,
    spanName: string,
    spanKind: SpanKind,
    attributes: Attributes,
    links: Link[],
  ): SamplingResult;
  toString(): string;
}

/** OpenTelemetry's, as far as it is called. */
interface SpanProcessor {
  onStart(span: never, parentContext: Context): void;
  onEnding?(span: never): void;
  onEnd(span: never): void;
}

export type Resource = ReadableSpan['resource'];

export interface Config {
  resource: Resource | undefined;
  sampler: Sampler;
  spanProcessors: readonly SpanProcessor[];
}
export type Scope = { name: string; version: string | undefined; schemaUrl: string | undefined };

const isPrimitive = (value: unknown): boolean =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

/** Whether it can be an attribute's: primitives, and lists of one kind of them with gaps. */
export function isValue(value: unknown): boolean {
  if (!Array.isArray(value)) return isPrimitive(value);
  const items = value.filter((item) => item != null);
  return items.every((item) => isPrimitive(item) && typeof item === typeof items[0]);
}

const fromMillis = (millis: number): HrTime => [
  Math.trunc(millis / 1_000),
  Math.round((millis % 1_000) * 1e6),
];

const sum = (a: HrTime, b: HrTime): HrTime => {
  const nanos = a[1] + b[1];
  const carry = nanos >= 1e9 ? 1 : 0;
  return [a[0] + b[0] + carry, nanos - carry * 1e9];
};

const isTime = (value: unknown): value is TimeInput =>
  typeof value === 'number' || value instanceof Date || Array.isArray(value);

const copied = (value: unknown): AttributeValue =>
  (Array.isArray(value) ? [...value] : value) as AttributeValue;

/** By words, of which there are few: each span has one or two of these. */
const newId = (words: number): string =>
  [...crypto.getRandomValues(new Uint32Array(words))]
    .map((word) => word.toString(16).padStart(8, '0'))
    .join('');

function validParent(parent: Context): SpanContext | undefined {
  const found = trace.getSpanContext(parent);
  return found && trace.isSpanContextValid(found) ? found : undefined;
}

interface Limited {
  attributes: Attributes;
  droppedAttributesCount: number;
}

/** Attributes up to the limit, and how many were left out. */
function limited(attributes: Attributes | undefined): Limited {
  const valid = Object.entries(attributes ?? {}).filter(([key, value]) => key && isValue(value));
  const kept = valid.slice(0, LIMIT).map(([key, value]) => [key, copied(value)]);
  return { attributes: Object.fromEntries(kept), droppedAttributesCount: valid.length - kept.length };
}

/** Beyond the limit the oldest goes. @returns how many went. */
function pushed<T>(list: T[], item: T): number {
  return list.push(item) > LIMIT ? list.splice(0, 1).length : 0;
}

/** What a tracer knows of a span that it starts. */
interface Start {
  name: string;
  kind: number;
  spanContext: SpanContext;
  parentSpanContext: SpanContext | undefined;
  scope: Scope;
  config: Config;
  options: SpanOptions;
  attributes: Attributes;
  parent: Context;
}

class RecordedSpan implements Span {
  readonly #start: Start;
  readonly #began: number = performance.now();
  /** What the wall clock is ahead of the monotonic one. */
  readonly #offset: number;
  #attributeCount = 0;
  name: string;
  readonly kind: number;
  readonly parentSpanContext: SpanContext | undefined;
  readonly instrumentationScope: Scope;
  readonly resource: Config['resource'];
  readonly attributes: Attributes = {};
  readonly links: (Link & Partial<Limited>)[] = [];
  readonly events: ({ name: string; time: HrTime } & Limited)[] = [];
  readonly startTime: HrTime;
  endTime: HrTime = [0, 0];
  duration: HrTime = [-1, -1];
  status: SpanStatus = { code: 0 };
  ended = false;
  droppedAttributesCount = 0;
  droppedEventsCount = 0;
  droppedLinksCount = 0;

  constructor(start: Start) {
    const now = Date.now();
    const { options, config } = start;
    this.#start = start;
    this.#offset = now - (this.#began + performance.timeOrigin);
    this.name = start.name;
    this.kind = start.kind;
    this.parentSpanContext = start.parentSpanContext;
    this.instrumentationScope = start.scope;
    this.resource = config.resource;
    this.addLinks(options.links ?? []);
    this.startTime = this.#time(options.startTime ?? now);
    this.setAttributes(start.attributes);
    for (const processor of config.spanProcessors) processor.onStart(this as never, start.parent);
  }

  spanContext(): SpanContext {
    return this.#start.spanContext;
  }

  isRecording(): boolean {
    return !this.ended;
  }

  setAttribute(key: string, value: unknown): this {
    if (this.ended || !key || !isValue(value)) return this;
    const isNew = !Object.hasOwn(this.attributes, key);
    if (isNew && this.#attributeCount >= LIMIT) this.droppedAttributesCount++;
    else {
      if (isNew) this.#attributeCount++;
      this.attributes[key] = copied(value);
    }
    return this;
  }

  setAttributes(attributes: Attributes): this {
    for (const [key, value] of Object.entries(attributes)) this.setAttribute(key, value);
    return this;
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    if (this.ended) return this;
    const isTimed = isTime(attributesOrTime);
    this.droppedEventsCount += pushed(this.events, {
      name,
      ...limited(isTimed ? {} : attributesOrTime),
      time: this.#time(isTimed && !isTime(time) ? attributesOrTime : time),
    });
    return this;
  }

  addLink({ context: linked, attributes }: Link): this {
    if (this.ended) return this;
    this.droppedLinksCount += pushed(this.links, { context: linked, ...limited(attributes) });
    return this;
  }

  addLinks(links: Link[]): this {
    for (const link of links) this.addLink(link);
    return this;
  }

  setStatus({ code, message }: SpanStatus): this {
    if (this.ended || code === 0 || this.status.code === 1) return this;
    const isTold = code === 2 && typeof message === 'string';
    this.status = isTold ? { code, message } : { code };
    return this;
  }

  updateName(name: string): this {
    if (!this.ended) this.name = name;
    return this;
  }

  recordException(exception: Exception, time?: TimeInput): void {
    const { code, name, message, stack } =
      typeof exception === 'string'
        ? ({ message: exception } as Partial<Error> & { code?: number })
        : exception;
    const attributes = {
      ...((code || name) && { 'exception.type': code ? String(code) : name }),
      ...(message && { 'exception.message': message }),
      ...(stack && { 'exception.stacktrace': stack }),
    };
    if (code || name || message) this.addEvent('exception', attributes, time);
  }

  end(time?: TimeInput): void {
    if (this.ended) return;
    const { startTime } = this;
    const endTime = this.#time(time);
    const nanos = endTime[1] - startTime[1];
    const borrow = nanos < 0 ? 1 : 0;
    const seconds = endTime[0] - startTime[0] - borrow;
    this.endTime = seconds < 0 ? [...startTime] : endTime;
    this.duration = seconds < 0 ? [0, 0] : [seconds, nanos + borrow * 1e9];
    const { spanProcessors } = this.#start.config;
    for (const processor of spanProcessors) processor.onEnding?.(this as never);
    this.ended = true;
    for (const processor of spanProcessors) processor.onEnd(this as never);
  }

  #time(input: TimeInput | undefined): HrTime {
    const now = performance.now();
    if (Array.isArray(input)) return input;
    if (input instanceof Date) return fromMillis(input.getTime());
    if (typeof input === 'number') {
      // What is less than the page's age is a moment of `performance.now()`.
      return input > now
        ? fromMillis(input)
        : sum(fromMillis(performance.timeOrigin), fromMillis(input + this.#offset));
    }
    // Who set the start may have another clock.
    if (this.#start.options.startTime != null) return fromMillis(Date.now());
    return sum(this.startTime, fromMillis(now - this.#began));
  }
}

/**
 * @param configOf by the context in which a span is to start: what becomes of it. Undefined: it is not recorded, and
 *   stands for its parent.
 */
export function createTracer(scope: Scope, configOf: (from: Context) => Config | undefined): Tracer {
  const self: Tracer = {
    startSpan(name, options = {}, from = context.active()) {
      const parent = options.root ? trace.deleteSpan(from) : from;
      if (parent.getValue(SUPPRESS_TRACING)) return trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
      const parentSpanContext = validParent(parent);
      const config = configOf(from);
      if (!config) return trace.wrapSpanContext(parentSpanContext ?? INVALID_SPAN_CONTEXT);
      const traceId = parentSpanContext?.traceId ?? newId(4);
      const kind = options.kind ?? 0;
      const attributes = { ...options.attributes };
      const sampled = config.sampler.shouldSample(
        parent,
        traceId,
        name,
        kind,
        attributes,
        options.links ?? [],
      );
      const isSampled = sampled.decision === 2;
      const spanContext: SpanContext = {
        traceId,
        spanId: newId(2),
        // The package forgets that its parent's trace has a random id, which the standard's second level forbids.
        traceFlags: (isSampled ? 1 : 0) | ((parentSpanContext?.traceFlags ?? 0) & RANDOM),
      };
      const traceState = sampled.traceState ?? parentSpanContext?.traceState;
      if (traceState) spanContext.traceState = traceState;
      if (sampled.decision === 0) return trace.wrapSpanContext(spanContext);
      return new RecordedSpan({
        ...{ name, kind, spanContext, parentSpanContext, scope, config, options, parent },
        attributes: { ...attributes, ...sampled.attributes },
      });
    },
    startActiveSpan(name: string, ...rest: unknown[]) {
      const task = rest.pop() as (span: Span) => never;
      const [options, from = context.active()] = rest as [SpanOptions?, Context?];
      const span = self.startSpan(name, options, from);
      return context.with(trace.setSpan(from, span), task, undefined, span);
    },
  };
  return self;
}

/** The page's. A tracer is a name and no more: who asks again gets another. */
export const createProvider = (config: Config): TracerProvider => ({
  getTracer: (name, version, options) =>
    createTracer({ name, version, schemaUrl: options?.schemaUrl }, () => config),
});
