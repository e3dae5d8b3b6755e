/** Objects on their way into requests: what stands between the brackets of `resourceSpans` or `resourceLogs`, as it is. */
import type { Signal } from '../object-key.js';
import {
  itemsOf,
  jsonOf,
  type OfResourceJson,
  type RequestJson,
  resourcesOf,
  SIGNALS,
  scopesOf,
} from '../wire/otlp-json.js';
import type { FetchedObject, QuarantineReason } from './batch.js';
import { packed } from './batches.js';

export interface RequestLimits {
  /** Of JSON, before gzip. */
  maxRequestBytes: number;
  maxRequestSpans: number;
}

/** One object on its way through the sender. */
export interface ObjectState {
  readonly object: FetchedObject;
  readonly signal: Signal;
  spanCount: number;
  rejectedCount: number;
  /** Parts that the backend has not taken. Undefined: what is to be sent is not known. */
  unsent: number | undefined;
  verdict?: Verdict;
  /** What the backend had to say of the spans that it took. */
  remark?: string;
}

/** Why an object is not sent. */
export type Verdict =
  | { status: 'quarantine'; reason: QuarantineReason; message: string }
  | { status: 'retry'; message: string };

/** An object, or of one that is larger than a request a part. */
export interface Part {
  readonly owner: ObjectState;
  /** Resources with commas between, UTF-8. */
  readonly json: Uint8Array<ArrayBuffer>;
  /** Spans or log records. */
  readonly itemCount: number;
  /** The object's own bytes, where these are sent: alone. */
  readonly stored?: Uint8Array<ArrayBuffer>;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const BETWEEN = encoder.encode(',');
const END = encoder.encode(']}');
const beginOf = (signal: Signal): string => `{"${SIGNALS[signal].resources}":[`;
const EMPTY_BYTES = beginOf('traces').length + END.length;

/** What of an object is to be sent: nothing where it holds nothing. */
export function partsOf(
  owner: ObjectState,
  request: RequestJson,
  limits: RequestLimits,
  stored?: Uint8Array<ArrayBuffer>,
): Part[] {
  if (owner.spanCount === 0) return [];
  const whole = partOf(owner, resourcesOf(request));
  return stored && fits(whole, limits) ? [{ ...whole, stored }] : fitting(whole, limits);
}

/** The JSON of one request. */
export function requestOf(signal: Signal, parts: readonly Part[]): Uint8Array<ArrayBuffer> {
  const texts = parts.flatMap(({ json }, index) => (index === 0 ? [json] : [BETWEEN, json]));
  const all = [encoder.encode(beginOf(signal)), ...texts, END];
  // In one piece: streams take long over many small ones.
  const request = new Uint8Array(all.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const bytes of all) {
    request.set(bytes, at);
    at += bytes.length;
  }
  return request;
}

/** Of the JSON of a request. */
export const sizeOf = (parts: readonly Part[]): number =>
  parts.reduce((sum, { json }) => sum + json.length + BETWEEN.length, EMPTY_BYTES);

/** Parts that go together, in their order. */
export function requestsOf(parts: readonly Part[], limits: RequestLimits): Part[][] {
  const asStored = parts.filter(({ stored }) => stored).map((part) => [part]);
  const others = parts.filter(({ stored }) => !stored);
  const { maxRequestBytes, maxRequestSpans } = limits;
  const weigh = ({ itemCount, json }: Part) => [itemCount, json.length + BETWEEN.length] as const;
  return [...asStored, ...packed(others, weigh, [maxRequestSpans, maxRequestBytes - EMPTY_BYTES])];
}

/**
 * A part in two, between resources; of one resource between its scopes; of one scope between its spans. What holds
 * nothing is left out. One span is one part, whatever its size.
 */
export function halvesOf({ owner, json, itemCount }: Part): Part[] | undefined {
  if (itemCount < 2) return undefined;
  const { scopes, items } = SIGNALS[owner.signal];
  const resources: OfResourceJson[] = JSON.parse(`[${decoder.decode(json)}]`);
  return inTwo(resources, [scopes, items])
    .map((half) => partOf(owner, half as OfResourceJson[]))
    .filter((half) => half.itemCount > 0);
}

function inTwo(list: readonly object[], [inner, ...deeper]: readonly string[]): [object[], object[]] {
  const middle = Math.ceil(list.length / 2);
  const [only] = list;
  if (list.length > 1 || inner === undefined || !only) return [list.slice(0, middle), list.slice(middle)];
  const [one, other] = inTwo(Reflect.get(only, inner) ?? [], deeper);
  return [[{ ...only, [inner]: one }], [{ ...only, [inner]: other }]];
}

function partOf(owner: ObjectState, resources: OfResourceJson[]): Part {
  const itemCount = resources.flatMap(scopesOf).reduce((sum, scope) => sum + itemsOf(scope).length, 0);
  return { owner, json: encoder.encode(jsonOf(resources).slice(1, -1)), itemCount };
}

const fits = (part: Part, { maxRequestBytes, maxRequestSpans }: RequestLimits): boolean =>
  part.itemCount <= maxRequestSpans && sizeOf([part]) <= maxRequestBytes;

function fitting(part: Part, limits: RequestLimits): Part[] {
  const halves = fits(part, limits) ? undefined : halvesOf(part);
  return halves ? halves.flatMap((half) => fitting(half, limits)) : [part];
}
