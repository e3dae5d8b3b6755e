/**
 * What the table of spans is to hold: made of the SDK's spans, by no code that writes or reads OTLP.
 *
 * @typedef {object} Row
 * @property {string} traceId
 * @property {string} spanId
 * @property {string | null} parentSpanId
 * @property {string} name
 * @property {string} kind
 * @property {bigint} startNanos
 * @property {bigint} endNanos
 * @property {string} status
 * @property {string} statusMessage
 * @property {Record<string, string>} attributes
 * @property {Record<string, string>} resource
 * @property {string} scope
 * @property {string} scopeVersion
 * @property {{ nanos: bigint, name: string, attributes: Record<string, string> }[]} events
 * @property {{ traceId: string, spanId: string, attributes: Record<string, string> }[]} links
 */

const KINDS = ['internal', 'server', 'client', 'producer', 'consumer'];
const STATUSES = ['unset', 'ok', 'error'];

/** @param {unknown} value */
const textOf = (value) => (typeof value === 'object' ? JSON.stringify(value) : String(value));
/** @param {object | undefined} attributes */
const textsOf = (attributes) =>
  Object.fromEntries(Object.entries(attributes ?? {}).map(([key, value]) => [key, textOf(value)]));
/** @param {readonly [number, number]} time */
const nanosOf = ([seconds, nanos]) => BigInt(seconds) * 1_000_000_000n + BigInt(nanos);

/** @param {readonly import('./shop-spans.mjs').Span[]} spans @returns {Row[]} */
export const rowsOf = (spans) =>
  spans.map((span) => ({
    traceId: span.spanContext().traceId,
    spanId: span.spanContext().spanId,
    parentSpanId: span.parentSpanContext?.spanId ?? null,
    name: span.name,
    kind: KINDS[span.kind] ?? '',
    startNanos: nanosOf(span.startTime),
    endNanos: nanosOf(span.endTime),
    status: STATUSES[span.status.code] ?? '',
    statusMessage: span.status.message ?? '',
    attributes: textsOf(span.attributes),
    resource: textsOf(span.resource.attributes),
    scope: span.instrumentationScope.name,
    scopeVersion: span.instrumentationScope.version ?? '',
    events: span.events.map(({ name, time, attributes }) => ({
      name,
      nanos: nanosOf(time),
      attributes: textsOf(attributes),
    })),
    links: span.links.map(({ context, attributes }) => ({
      traceId: context.traceId,
      spanId: context.spanId,
      attributes: textsOf(attributes),
    })),
  }));
