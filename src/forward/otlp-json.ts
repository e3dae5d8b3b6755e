/** OTLP/JSON as `inspect` leaves it: known fields only, ids in lowercase, nothing null. OTLP 1.11.0. */

export interface RequestJson {
  resourceSpans: ResourceSpansJson[];
}

export interface ResourceSpansJson {
  resource?: AttributedJson;
  scopeSpans?: ScopeSpansJson[];
  schemaUrl?: string;
}

export interface ScopeSpansJson {
  scope?: AttributedJson;
  spans?: SpanJson[];
  schemaUrl?: string;
}

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
  startTimeUnixNano?: NanosJson;
  endTimeUnixNano?: NanosJson;
  events?: (AttributedJson & { timeUnixNano?: NanosJson })[];
  links?: AttributedJson[];
}
