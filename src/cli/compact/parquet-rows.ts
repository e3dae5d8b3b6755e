import { type Agents, createAgents } from '../../compact/agents.js';
import type { AnyValueJson, KeyValueJson, RequestJson, SpanJson } from '../../wire/otlp-json.js';

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
  page_url: 'VARCHAR',
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

type Column = keyof typeof COLUMNS;

/** Attributes with a column of their own, which are not in `span_attributes` as well. */
const PROMOTED: ReadonlyMap<string, Column> = new Map([
  ['session.id', 'session_id'],
  ['user.id', 'user_id'],
  ['spandrel.activity.type', 'activity_type'],
  ['url.template', 'url_template'],
  ['url.full', 'url_full'],
  ['browser.document.url.full', 'page_url'],
  ['browser.web_vital.name', 'web_vital_name'],
  ['browser.web_vital.value', 'web_vital_value'],
  ['browser.web_vital.rating', 'web_vital_rating'],
  ['http.request.method', 'http_request_method'],
  ['http.response.status_code', 'http_status_code'],
  ['user_agent.name', 'browser'],
  ['user_agent.os.name', 'os'],
  ['device.type', 'device'],
  ['geo.country.iso_code', 'country'],
  ['service.version', 'release'],
  ['spandrel.sampling.probability', 'sampling_probability'],
]);
/** Said of one span, and true of all of its session. */
const OF_SESSION: readonly Column[] = ['browser', 'os', 'device', 'country'];
const MAX_SESSIONS = 100_000;

/** What is known of the columns of a span, as JSON. */
type Known = Map<Column, string>;

/** Fields that `otlp-json.ts` does not tell of. */
interface WholeSpan extends SpanJson {
  parentSpanId?: string;
  traceState?: string;
  flags?: number | string;
  name?: string;
  kind?: number;
  status?: { code?: number; message?: string };
  droppedAttributesCount?: number | string;
  droppedEventsCount?: number | string;
  droppedLinksCount?: number | string;
}
interface WholeScopeSpans {
  scope?: { name?: string; version?: string };
  spans?: WholeSpan[];
}

/** Makes rows of requests. */
export interface SpanRows {
  /** Each row as a line of JSON; each span once: pages that never saw an answer have sent some again. */
  of(request: RequestJson): string[];
}

export function createSpanRows(): SpanRows {
  const agents: Agents = createAgents();
  const sessions = new Map<string, Known>();
  const seen = new Set<string>();

  /** Adds what the user agent says, and remembers what is true of the session. */
  const learn = (known: Known, userAgent: string | undefined): void => {
    for (const [key, value] of userAgent ? Object.entries(agents.attributesOf(userAgent)) : []) {
      const column = PROMOTED.get(key);
      if (column && !known.has(column)) known.set(column, JSON.stringify(value));
    }
    const session = known.get('session_id');
    if (session === undefined) return;
    for (const column of OF_SESSION) {
      const value = known.get(column);
      if (value === undefined) continue;
      if (sessions.size >= MAX_SESSIONS) sessions.clear();
      const shared = sessions.get(session) ?? new Map();
      sessions.set(session, shared.set(column, value));
    }
  };

  return {
    of({ resourceSpans = [] }) {
      const rows: [Known, string][] = [];
      for (const { resource, scopeSpans = [], schemaUrl } of resourceSpans) {
        const shared = attributesOf(resource?.attributes ?? []);
        const service = resource?.attributes?.find(({ key }) => key === 'service.name')?.value?.stringValue;
        const ofResource =
          `{"service_name":${JSON.stringify(service ?? 'unknown_service')}` +
          `${text('resource_schema_url', schemaUrl)},"resource_attributes":${jsonOf(resource?.attributes ?? [])}`;
        for (const { scope, spans = [] } of scopeSpans as WholeScopeSpans[]) {
          const head = `${ofResource}${text('scope_name', scope?.name)}${text('scope_version', scope?.version)}`;
          for (const span of spans) {
            const identity = span.traceId + span.spanId;
            if (seen.has(identity)) continue;
            seen.add(identity);
            const own = attributesOf(span.attributes ?? []);
            asToday(own.known);
            for (const [column, value] of shared.known)
              if (!own.known.has(column)) own.known.set(column, value);
            learn(own.known, own.userAgent ?? shared.userAgent);
            rows.push([own.known, `${head}${fieldsOf(span)},"span_attributes":{${own.rest}}`]);
          }
        }
      }
      return rows.map(([known, line]) => {
        let all = line;
        for (const [column, value] of known) all += `,"${column}":${value}`;
        const session = sessions.get(known.get('session_id') ?? '');
        for (const [column, value] of session ?? []) if (!known.has(column)) all += `,"${column}":${value}`;
        return `${all}}`;
      });
    },
  };
}

/** What 0.1.0 wrote, as it is written today: it had vitals in capitals, and a page's address as `url.full`. */
function asToday(known: Known): void {
  const vital = known.get('web_vital_name');
  if (vital) known.set('web_vital_name', vital.toLowerCase());
  const page = known.get('url_full');
  if (page === undefined || !(vital || known.has('activity_type'))) return;
  known.set('page_url', page);
  known.delete('url_full');
}

/** A field with a comma before it; nothing where there is none. */
const text = (column: Column, value: string | undefined): string =>
  value ? `,"${column}":${JSON.stringify(value)}` : '';
const count = (column: Column, value: number | string | undefined): string =>
  value ? `,"${column}":${value}` : '';

/** A 64-bit integer has room for it. */
const MAX_NANOS = 2n ** 63n - 1n;
const within = (nanos: bigint): bigint => (nanos > MAX_NANOS ? MAX_NANOS : nanos < 0n ? 0n : nanos);

/** Ids are hexadecimal digits, and numbers are numbers: that was looked at. */
function fieldsOf(span: WholeSpan): string {
  const { startTimeUnixNano = 0, endTimeUnixNano = 0, status, events = [], links = [] } = span;
  const start = BigInt(startTimeUnixNano);
  return (
    `,"trace_id":"${span.traceId}","span_id":"${span.spanId}"${text('parent_span_id', span.parentSpanId)}` +
    `${text('trace_state', span.traceState)}${count('flags', span.flags)}` +
    `,"name":${JSON.stringify(span.name ?? '')},"kind":${span.kind ?? 0}` +
    `,"start_time_unix_nano":${within(start)}` +
    `,"duration_time_unix_nano":${within(BigInt(endTimeUnixNano) - start)}` +
    `,"status_code":${status?.code ?? 0}${text('status_status_message', status?.message)}` +
    count('dropped_attributes_count', span.droppedAttributesCount) +
    count('dropped_events_count', span.droppedEventsCount) +
    count('dropped_links_count', span.droppedLinksCount) +
    (events.length > 0 ? `,"events_json":${listJson(events)}` : '') +
    (links.length > 0 ? `,"links_json":${listJson(links)}` : '')
  );
}

/** Attributes apart: what has a column, of its type, and the rest as members of a JSON object. */
function attributesOf(attributes: readonly KeyValueJson[]): {
  known: Known;
  rest: string;
  userAgent?: string;
} {
  const known: Known = new Map();
  const others: KeyValueJson[] = [];
  let userAgent: string | undefined;
  for (const attribute of attributes) {
    const { key = '', value = {} } = attribute;
    if (key === 'user_agent.original') userAgent ??= value.stringValue;
    const column = PROMOTED.get(key);
    const plain = column && !known.has(column) ? plainJson(column, value) : undefined;
    if (column && plain !== undefined) known.set(column, plain);
    else others.push(attribute);
  }
  return { known, rest: membersOf(others), ...(userAgent === undefined ? {} : { userAgent }) };
}

/** Undefined where the value is of another type than the column: then it stays where it was. */
function plainJson(column: Column, { stringValue, intValue, doubleValue }: AnyValueJson): string | undefined {
  const type = COLUMNS[column];
  if (type === 'VARCHAR') return stringValue === undefined ? undefined : JSON.stringify(stringValue);
  const number = Number(intValue ?? doubleValue ?? Number.NaN);
  const fits =
    type === 'DOUBLE' ? Number.isFinite(number) : Number.isInteger(number) && Math.abs(number) < 2 ** 31;
  return fits ? String(number) : undefined;
}

const jsonOf = (attributes: readonly KeyValueJson[]): string => `{${membersOf(attributes)}}`;

/** A key that comes twice keeps its first value. */
function membersOf(attributes: readonly KeyValueJson[]): string {
  const seen = new Set<string>();
  let members = '';
  for (const { key = '', value } of attributes) {
    if (seen.has(key)) continue;
    seen.add(key);
    members += `${members ? ',' : ''}${JSON.stringify(key)}:${valueJson(value)}`;
  }
  return members;
}

function valueJson(value: AnyValueJson = {}): string {
  const { stringValue, boolValue, intValue, doubleValue, arrayValue, kvlistValue, bytesValue } = value;
  if (stringValue !== undefined) return JSON.stringify(stringValue);
  if (boolValue !== undefined) return String(boolValue);
  // All its digits: JSON has no bound.
  if (intValue !== undefined) return String(intValue);
  if (doubleValue !== undefined) return JSON.stringify(doubleValue);
  if (arrayValue) return `[${(arrayValue.values ?? []).map(valueJson).join(',')}]`;
  if (kvlistValue) return jsonOf(kvlistValue.values ?? []);
  return bytesValue === undefined ? 'null' : JSON.stringify(bytesValue);
}

/** Events and links: their fields, with attributes as an object. */
function listJson(list: readonly { attributes?: KeyValueJson[] }[]): string {
  const texts = list.map(({ attributes = [], ...fields }) => {
    const json = JSON.stringify(fields).slice(0, -1);
    return `${json}${json === '{' ? '' : ','}"attributes":${jsonOf(attributes)}}`;
  });
  return `[${texts.join(',')}]`;
}
