/** OTLP/JSON as it is once it was checked: known fields only, ids in lowercase, nothing null. OTLP 1.11.0. */
/** How each signal names the lists of its requests, from without to within. */
export const SIGNALS: {
  traces: { resources: 'resourceSpans'; scopes: 'scopeSpans'; items: 'spans' };
  logs: { resources: 'resourceLogs'; scopes: 'scopeLogs'; items: 'logRecords' };
} = {
  traces: { resources: 'resourceSpans', scopes: 'scopeSpans', items: 'spans' },
  logs: { resources: 'resourceLogs', scopes: 'scopeLogs', items: 'logRecords' },
};

/** Of one signal, by the names that {@link SIGNALS} has for it. */
export interface RequestJson {
  resourceSpans?: OfResourceJson[];
  resourceLogs?: OfResourceJson[];
}

export interface OfResourceJson {
  resource?: AttributedJson;
  scopeSpans?: OfScopeJson[];
  scopeLogs?: OfScopeJson[];
  schemaUrl?: string;
}

export interface OfScopeJson {
  scope?: AttributedJson;
  spans?: SpanJson[];
  logRecords?: LogRecordJson[];
  schemaUrl?: string;
}

export const resourcesOf = ({ resourceSpans, resourceLogs }: RequestJson): OfResourceJson[] =>
  resourceSpans ?? resourceLogs ?? [];
export const scopesOf = ({ scopeSpans, scopeLogs }: OfResourceJson): OfScopeJson[] =>
  scopeSpans ?? scopeLogs ?? [];
/** A span or a log record. */
export type ItemJson = SpanJson | LogRecordJson;
export const itemsOf = ({ spans, logRecords }: OfScopeJson): ItemJson[] => spans ?? logRecords ?? [];

/** Whatever has attributes. */
export interface AttributedJson {
  attributes?: KeyValueJson[];
}

export interface KeyValueJson {
  key?: string;
  value?: AnyValueJson;
}

/** At most one of them. */
export interface AnyValueJson {
  stringValue?: string;
  boolValue?: boolean;
  intValue?: string | number;
  doubleValue?: number | string;
  arrayValue?: { values?: AnyValueJson[] };
  kvlistValue?: { values?: KeyValueJson[] };
  bytesValue?: string;
}

/** Decimal nanoseconds. */
export type NanosJson = string | number;

export interface SpanJson extends AttributedJson {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name?: string;
  kind?: number;
  startTimeUnixNano?: NanosJson;
  endTimeUnixNano?: NanosJson;
  events?: (AttributedJson & { timeUnixNano?: NanosJson })[];
  links?: AttributedJson[];
  status?: { code?: number };
}

export interface LogRecordJson extends AttributedJson {
  timeUnixNano?: NanosJson;
  observedTimeUnixNano?: NanosJson;
  traceId?: string;
  spanId?: string;
}

/** Half of a surrogate pair is no character, and some readers would refuse the whole request for it. */
const HALF_PAIR = /(?<!\\)((?:\\\\)*)\\ud[89a-f][\da-f]{2}/g;

/** As JSON that every reader takes: `JSON.stringify` writes halves of pairs as escapes, and whole pairs never so. */
export function jsonOf(value: object): string {
  const json = JSON.stringify(value);
  return json.includes('\\ud') ? json.replace(HALF_PAIR, '$1\ufffd') : json;
}
