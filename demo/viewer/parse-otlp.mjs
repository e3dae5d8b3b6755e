/**
 * OTLP/JSON into the spans that the viewer shows. Accepts what the specification lets a sender write
 * (numbers as strings or numbers, enums as integers, absent defaults) and counts what it cannot use.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
import { asArray, asCount, asString, decodeAttributes, findAttribute, isRecord } from './any-value.mjs';

const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];
const STATUS_CODES = ['unset', 'ok', 'error'];
const MAX_UINT64 = 2n ** 64n - 1n;

/**
 * @typedef {object} Span
 * @property {string} traceId 32 lowercase hex digits
 * @property {string} spanId 16 lowercase hex digits
 * @property {string} parentSpanId empty for a root
 * @property {string} name
 * @property {string} kind `internal`, `client`, …
 * @property {bigint | undefined} start nanoseconds since the epoch; undefined when absent or unusable
 * @property {bigint | undefined} end
 * @property {{ code: 'unset' | 'ok' | 'error', message: string }} status
 * @property {import('./any-value.mjs').Attribute[]} attributes
 * @property {{ name: string, time: bigint | undefined, attributes: import('./any-value.mjs').Attribute[],
 *   droppedAttributes: number }[]} events
 * @property {{ traceId: string, spanId: string, traceState: string, attributes: object[] }[]} links
 * @property {{ attributes: number, events: number, links: number }} dropped
 * @property {string} traceState
 * @property {number} flags
 * @property {{ serviceName: string, attributes: object[], schemaUrl: string }} resource shared by its spans
 * @property {{ name: string, version: string, attributes: object[], schemaUrl: string }} scope
 */

/**
 * Reads one `ExportTraceServiceRequest`.
 *
 * @param {unknown} request the parsed JSON
 * @returns {{ traces: Map<string, { spans: Span[], resourceSpans: object[] }>, skipped: number }} per trace id its
 *   spans and its own share of the request, as it stands there; `skipped` counts spans without usable ids
 * @throws {TypeError} when the value is no trace request at all
 */
export function parseRequest(request) {
  if (!isRecord(request) || !Array.isArray(request.resourceSpans)) {
    throw new TypeError('no resourceSpans: not an OTLP trace request');
  }
  const traces = new Map();
  let skipped = 0;
  for (const group of request.resourceSpans.filter(isRecord)) {
    const resource = readResource(group);
    for (const scopeGroup of asArray(group.scopeSpans).filter(isRecord)) {
      const scope = readScope(scopeGroup);
      for (const raw of asArray(scopeGroup.spans)) {
        const span = readSpan(raw, resource, scope);
        if (span === undefined) {
          skipped += 1;
          continue;
        }
        const trace = traces.get(span.traceId) ?? { spans: [], resourceSpans: [] };
        traces.set(span.traceId, trace);
        trace.spans.push(span);
        keepRaw(trace.resourceSpans, group, scopeGroup, raw);
      }
    }
  }
  return { traces, skipped };
}

/** Nanoseconds since the epoch from a decimal string or a number, or undefined: absent, zero or out of range. */
export function readNanos(value) {
  let nanos;
  if (typeof value === 'string' && /^\d{1,20}$/.test(value)) nanos = BigInt(value);
  else if (typeof value === 'number' && Number.isInteger(value)) nanos = BigInt(value);
  return nanos !== undefined && nanos > 0n && nanos <= MAX_UINT64 ? nanos : undefined;
}

function readSpan(raw, resource, scope) {
  if (!isRecord(raw)) return undefined;
  const traceId = readId(raw.traceId, 32);
  const spanId = readId(raw.spanId, 16);
  if (traceId === '' || spanId === '') return undefined;
  const status = isRecord(raw.status) ? raw.status : {};
  return {
    traceId,
    spanId,
    parentSpanId: readId(raw.parentSpanId, 16),
    name: asString(raw.name) || '(no name)',
    kind: readEnum(raw.kind, KINDS, 'SPAN_KIND_'),
    start: readNanos(raw.startTimeUnixNano),
    end: readNanos(raw.endTimeUnixNano),
    status: { code: readEnum(status.code, STATUS_CODES, 'STATUS_CODE_'), message: asString(status.message) },
    attributes: decodeAttributes(raw.attributes),
    events: asArray(raw.events).filter(isRecord).map(readEvent),
    links: asArray(raw.links).filter(isRecord).map(readLink),
    dropped: {
      attributes: asCount(raw.droppedAttributesCount),
      events: asCount(raw.droppedEventsCount),
      links: asCount(raw.droppedLinksCount),
    },
    traceState: asString(raw.traceState),
    flags: asCount(raw.flags),
    resource,
    scope,
  };
}

function readEvent(raw) {
  return {
    name: asString(raw.name) || '(no name)',
    time: readNanos(raw.timeUnixNano),
    attributes: decodeAttributes(raw.attributes),
    droppedAttributes: asCount(raw.droppedAttributesCount),
  };
}

function readLink(raw) {
  return {
    traceId: readId(raw.traceId, 32),
    spanId: readId(raw.spanId, 16),
    traceState: asString(raw.traceState),
    attributes: decodeAttributes(raw.attributes),
  };
}

function readResource(group) {
  const attributes = decodeAttributes(isRecord(group.resource) ? group.resource.attributes : []);
  const serviceName = findAttribute(attributes, 'service.name') ?? 'unknown service';
  return { serviceName, attributes, schemaUrl: asString(group.schemaUrl) };
}

function readScope(group) {
  const scope = isRecord(group.scope) ? group.scope : {};
  return {
    name: asString(scope.name),
    version: asString(scope.version),
    attributes: decodeAttributes(scope.attributes),
    schemaUrl: asString(group.schemaUrl),
  };
}

/** An id in lower case; one of the wrong length or of zeros only is no id, and empty. */
export function readId(value, length) {
  const id = asString(value).toLowerCase();
  return id.length === length && /^[0-9a-f]+$/.test(id) && /[^0]/.test(id) ? id : '';
}

// Integers by the specification; some senders write the names.
function readEnum(value, names, prefix) {
  if (typeof value === 'string' && value.startsWith(prefix)) {
    const name = value.slice(prefix.length).toLowerCase();
    return names.includes(name) ? name : names[0];
  }
  return Number.isInteger(value) && value in names ? names[value] : names[0];
}

// Spans arrive in the order of the request, so their groups are always the last ones of the trace's share.
function keepRaw(resourceSpans, group, scopeGroup, raw) {
  let resourceShare = resourceSpans.at(-1);
  if (resourceShare?.source !== group) {
    resourceShare = { source: group, scopes: [] };
    resourceSpans.push(resourceShare);
  }
  let scopeShare = resourceShare.scopes.at(-1);
  if (scopeShare?.source !== scopeGroup) {
    scopeShare = { source: scopeGroup, spans: [] };
    resourceShare.scopes.push(scopeShare);
  }
  scopeShare.spans.push(raw);
}

/**
 * A trace's own share of a request, as OTLP/JSON again.
 *
 * @param {object[]} resourceSpans as {@link parseRequest} gave them
 */
export function toRequest(resourceSpans) {
  return {
    resourceSpans: /** @type {{ source: object, scopes: { source: object, spans: object[] }[] }[]} */ (
      resourceSpans
    ).map(({ source, scopes }) => ({
      ...source,
      scopeSpans: scopes.map((scope) => ({ ...scope.source, spans: scope.spans })),
    })),
  };
}
