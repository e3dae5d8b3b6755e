import { type Agents, createAgents } from '../../compact/agents.js';
import type { AnyValueJson, KeyValueJson, RequestJson, SpanJson } from '../../forward/otlp-json.js';

/**
 * Columns of a span: names of OpenTelemetry Arrow, nested ones joined by an underscore; attributes that most questions are
 * about, under names of their own; and all attributes as JSON.
 */
export const COLUMNS = {
  service_name: 'VARCHAR',
  start_time_unix_nano: 'BIGINT',
  duration_time_unix_nano: 'BIGINT',
  trace_id: 'VARCHAR',
  span_id: 'VARCHAR',
  parent_span_id: 'VARCHAR',
  trace_state: 'VARCHAR',
  flags: 'UINTEGER',
  name: 'VARCHAR',
  kind: 'INTEGER',
  status_code: 'INTEGER',
  status_status_message: 'VARCHAR',
  session_id: 'VARCHAR',
  user_id: 'VARCHAR',
  activity_type: 'VARCHAR',
  url_template: 'VARCHAR',
  url_full: 'VARCHAR',
  web_vital_name: 'VARCHAR',
  web_vital_value: 'DOUBLE',
  web_vital_rating: 'VARCHAR',
  http_request_method: 'VARCHAR',
  http_status_code: 'INTEGER',
  browser: 'VARCHAR',
  os: 'VARCHAR',
  device: 'VARCHAR',
  country: 'VARCHAR',
  release: 'VARCHAR',
  sampling_probability: 'DOUBLE',
  resource_attributes: 'JSON',
  resource_schema_url: 'VARCHAR',
  scope_name: 'VARCHAR',
  scope_version: 'VARCHAR',
  span_attributes: 'JSON',
  dropped_attributes_count: 'UINTEGER',
  events_json: 'JSON',
  dropped_events_count: 'UINTEGER',
  links_json: 'JSON',
  dropped_links_count: 'UINTEGER',
} as const;

/** Attributes with a column of their own, which are not in `span_attributes` as well. */
const PROMOTED: Readonly<Record<string, keyof typeof COLUMNS>> = {
  'session.id': 'session_id',
  'user.id': 'user_id',
  'spandrel.activity.type': 'activity_type',
  'url.template': 'url_template',
  'url.full': 'url_full',
  'browser.web_vital.name': 'web_vital_name',
  'browser.web_vital.value': 'web_vital_value',
  'browser.web_vital.rating': 'web_vital_rating',
  'http.request.method': 'http_request_method',
  'http.response.status_code': 'http_status_code',
  'user_agent.name': 'browser',
  'user_agent.os.name': 'os',
  'device.type': 'device',
  'geo.country.iso_code': 'country',
  'service.version': 'release',
  'spandrel.sampling.probability': 'sampling_probability',
};
/** Said of one span, and true of all of its session. */
const OF_SESSION = ['browser', 'os', 'device', 'country'] as const;
const MAX_SESSIONS = 100_000;

type Row = { -readonly [column in keyof typeof COLUMNS]?: unknown };

/** Fields that `otlp-json.ts` does not tell of. */
interface WholeSpan extends SpanJson {
  [field: string]: unknown;
  status?: { code?: number; message?: string };
}

/** Makes rows of requests. */
export interface SpanRows {
  /** Each row as a line of JSON. */
  of(request: RequestJson): string[];
}

export function createSpanRows(): SpanRows {
  const agents: Agents = createAgents();
  const sessions = new Map<string, Row>();

  /** What is known of the session from here, or was. */
  const learn = (row: Row, attributes: readonly KeyValueJson[]): void => {
    const userAgent = attributes.find(({ key }) => key === 'user_agent.original')?.value?.stringValue;
    if (userAgent && row.browser === undefined) promote(row, agents.attributesOf(userAgent));
    const id = row.session_id;
    if (typeof id !== 'string' || OF_SESSION.every((column) => row[column] === undefined)) return;
    if (sessions.size >= MAX_SESSIONS) sessions.clear();
    sessions.set(id, { ...sessions.get(id), ...pick(row) });
  };

  return {
    of({ resourceSpans }) {
      const rows: [Row, string][] = [];
      for (const { resource, scopeSpans = [], schemaUrl } of resourceSpans) {
        const shared = rowOf(resource?.attributes ?? []);
        const service = resource?.attributes?.find(({ key }) => key === 'service.name')?.value?.stringValue;
        const ofResource = `,"resource_attributes":${jsonOf(resource?.attributes ?? [], false)}`;
        for (const { scope, spans = [] } of scopeSpans as {
          scope?: { name?: string; version?: string };
          spans?: WholeSpan[];
        }[]) {
          for (const span of spans) {
            const attributes = span.attributes ?? [];
            const row: Row = { ...shared, ...rowOf(attributes), ...fieldsOf(span) };
            row.service_name = service ?? 'unknown_service';
            row.resource_schema_url = schemaUrl;
            row.scope_name = scope?.name;
            row.scope_version = scope?.version;
            learn(row, [...attributes, ...(resource?.attributes ?? [])]);
            const events = span.events?.length ? `,"events_json":${listJson(span.events)}` : '';
            const links = span.links?.length ? `,"links_json":${listJson(span.links)}` : '';
            const own = `,"span_attributes":${jsonOf(attributes, true)}`;
            rows.push([row, ofResource + own + events + links]);
          }
        }
      }
      return rows.map(([row, nested]) => {
        const known = typeof row.session_id === 'string' ? sessions.get(row.session_id) : undefined;
        return `${JSON.stringify({ ...known, ...row }).slice(0, -1)}${nested}}`;
      });
    },
  };
}

function pick(row: Row): Row {
  const picked: Row = {};
  for (const column of OF_SESSION) if (row[column] !== undefined) picked[column] = row[column];
  return picked;
}

function promote(row: Row, attributes: Record<string, string>): void {
  for (const [key, value] of Object.entries(attributes)) {
    const column = PROMOTED[key];
    if (column) row[column] ??= value;
  }
}

function rowOf(attributes: readonly KeyValueJson[]): Row {
  const row: Row = {};
  for (const { key = '', value } of attributes) {
    const column = Object.hasOwn(PROMOTED, key) ? PROMOTED[key] : undefined;
    const plain = value?.stringValue ?? value?.intValue ?? value?.doubleValue ?? value?.boolValue;
    if (column === undefined || plain === undefined) continue;
    const type = COLUMNS[column];
    if (type === 'VARCHAR') row[column] = String(plain);
    else if (Number.isFinite(Number(plain)))
      row[column] = type === 'DOUBLE' ? Number(plain) : Math.trunc(Number(plain));
  }
  return row;
}

/** A 64-bit integer has room for it. */
const MAX_NANOS = 2n ** 63n - 1n;

function fieldsOf(span: WholeSpan): Row {
  const start = BigInt(span.startTimeUnixNano ?? 0);
  const end = BigInt(span.endTimeUnixNano ?? 0);
  const within = (nanos: bigint): string => String(nanos > MAX_NANOS ? MAX_NANOS : nanos < 0n ? 0n : nanos);
  return {
    trace_id: span.traceId,
    span_id: span.spanId,
    parent_span_id: span['parentSpanId'] || undefined,
    trace_state: span['traceState'] || undefined,
    flags: span['flags'],
    name: span['name'] ?? '',
    kind: span['kind'] ?? 0,
    start_time_unix_nano: within(start),
    duration_time_unix_nano: within(end - start),
    status_code: span.status?.code ?? 0,
    status_status_message: span.status?.message || undefined,
    dropped_attributes_count: span['droppedAttributesCount'],
    dropped_events_count: span['droppedEventsCount'],
    dropped_links_count: span['droppedLinksCount'],
  };
}

/** Attributes as a JSON object; a key that comes twice keeps its first value. */
function jsonOf(attributes: readonly KeyValueJson[], isSpan: boolean): string {
  const seen = new Set<string>();
  const texts: string[] = [];
  for (const { key = '', value } of attributes) {
    if (seen.has(key) || (isSpan && isPromoted(key, value))) continue;
    seen.add(key);
    texts.push(`${JSON.stringify(key)}:${valueJson(value)}`);
  }
  return `{${texts.join(',')}}`;
}

/** Of another type than its column it stays where it was. */
function isPromoted(key: string, value: AnyValueJson | undefined): boolean {
  const column = Object.hasOwn(PROMOTED, key) ? PROMOTED[key] : undefined;
  if (column === undefined || value === undefined) return false;
  if (COLUMNS[column] === 'VARCHAR') return value.stringValue !== undefined;
  return Number.isFinite(Number(value.intValue ?? value.doubleValue ?? Number.NaN));
}

function valueJson(value: AnyValueJson = {}): string {
  const { stringValue, boolValue, intValue, doubleValue, arrayValue, kvlistValue, bytesValue } = value;
  if (stringValue !== undefined) return JSON.stringify(stringValue);
  if (boolValue !== undefined) return String(boolValue);
  // All its digits: JSON has no bound.
  if (intValue !== undefined) return String(intValue);
  if (doubleValue !== undefined)
    return typeof doubleValue === 'number' ? String(doubleValue) : JSON.stringify(doubleValue);
  if (arrayValue) return `[${(arrayValue.values ?? []).map(valueJson).join(',')}]`;
  if (kvlistValue) return jsonOf(kvlistValue.values ?? [], false);
  return bytesValue === undefined ? 'null' : JSON.stringify(bytesValue);
}

/** Events and links: their fields, with attributes as an object. */
function listJson(list: readonly { attributes?: KeyValueJson[] }[]): string {
  const texts = list.map(({ attributes = [], ...fields }) => {
    const text = JSON.stringify(fields).slice(0, -1);
    return `${text}${text === '{' ? '' : ','}"attributes":${jsonOf(attributes, false)}}`;
  });
  return `[${texts.join(',')}]`;
}
