/** Objects in the bucket, read by others than us: Node's zlib and JSON.parse. */
import { gunzipSync } from 'node:zlib';
import type { Host } from '../../demo/host.mjs';

export interface KeyValue {
  key: string;
  value: {
    stringValue?: string;
    intValue?: string | number;
    boolValue?: boolean;
    doubleValue?: number;
    arrayValue?: { values?: KeyValue['value'][] };
  };
}

export interface OtlpSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind?: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes?: KeyValue[];
  events?: { name: string; timeUnixNano: string; attributes?: KeyValue[] }[];
  links?: { traceId: string; spanId: string }[];
  /** `code` 2 is ERROR. */
  status?: { code?: number; message?: string };
}

/** `ExportTraceServiceRequest`, as far as the tests look into it. */
export interface OtlpRequest {
  resourceSpans: {
    resource: { attributes: KeyValue[] };
    scopeSpans: { scope: { name: string }; spans: OtlpSpan[] }[];
  }[];
}

/** One object of the bucket. */
export interface TraceObject {
  key: string;
  /** The gzip bytes as they were stored. */
  bytes: Uint8Array;
  request: OtlpRequest;
  spans: OtlpSpan[];
}

export const spansOf = (request: OtlpRequest): OtlpSpan[] =>
  request.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));

export const attributeOf = (attributes: KeyValue[] | undefined, name: string): unknown => {
  const { value } = attributes?.find(({ key }) => key === name) ?? {};
  if (value?.intValue !== undefined) return Number(value.intValue);
  return value?.stringValue ?? value?.boolValue ?? value?.doubleValue;
};

/**
 * The objects of one service's traces, oldest first.
 *
 * @throws {Error} when an object is no gzip of OTLP/JSON.
 */
export async function readObjects(bucket: Host['mock']['bucket'], service: string): Promise<TraceObject[]> {
  const objects: TraceObject[] = [];
  for (const { key } of (await bucket.list()).reverse()) {
    if (key.includes('/logs_')) continue;
    const bytes = await bucket.get(key);
    if (!bytes) throw new Error(`${key} was listed and is gone`);
    const request = JSON.parse(gunzipSync(bytes).toString()) as OtlpRequest;
    const isOurs = ({ resource }: OtlpRequest['resourceSpans'][number]): boolean =>
      attributeOf(resource.attributes, 'service.name') === service;
    if (request.resourceSpans.some(isOurs)) objects.push({ key, bytes, request, spans: spansOf(request) });
  }
  return objects;
}
