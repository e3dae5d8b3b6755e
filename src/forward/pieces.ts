/** An object taken apart into the texts of its spans, from which requests are put together. */
import type { Signal } from '../object-key.js';
import {
  type ItemJson,
  itemsOf,
  jsonOf,
  type RequestJson,
  resourcesOf,
  SIGNALS,
  scopesOf,
} from '../wire/otlp-json.js';
import type { FetchedObject, QuarantineReason } from './batch.js';

/** One object on its way through the sender. */
export interface ObjectState {
  readonly object: FetchedObject;
  readonly signal: Signal;
  /** Its place in the batch. */
  readonly index: number;
  /** Spans of different projects are never twins. */
  project: string;
  spanCount: number;
  duplicateCount: number;
  rejectedCount: number;
  /** What is to be sent, in order. */
  pieces: SpanPiece[];
  /** Of other objects, which stand for spans of this one that are left out. */
  twins: SpanPiece[];
  /** May go as it is stored. */
  asStored: boolean;
  verdict?: Verdict;
  /** What the backend had to say of the spans that it took. */
  remark?: string;
  isSent: boolean;
}

/** Why an object is not sent. */
export type Verdict =
  | { status: 'quarantine'; reason: QuarantineReason; message: string }
  | { status: 'retry'; message: string };

/** One span, or one log record. */
export interface SpanPiece {
  readonly owner: ObjectState;
  /** JSON from `{"scope":` up to the bracket that opens `spans`, with the resource before it. */
  readonly scope: ScopeText;
  readonly json: string;
  /** Of `json` in UTF-8, and a comma. */
  readonly byteCount: number;
  readonly traceId: string;
  /** Project, trace and span. */
  readonly identity: string;
  /** Ended because its page left; there may be a better one. */
  readonly interrupted: boolean;
  delivered: boolean;
}

/** What spans of one scope have before and after them. */
export interface ScopeText {
  readonly resource: { readonly head: string; readonly tail: string };
  readonly head: string;
  readonly tail: string;
  /** All four in UTF-8. */
  readonly byteCount: number;
}

const INTERRUPTED = 'spandrel.interrupted';

/** The spans of `request` as pieces of `owner`. */
export function piecesOf(owner: ObjectState, request: RequestJson): SpanPiece[] {
  const pieces: SpanPiece[] = [];
  const names = SIGNALS[owner.signal];
  for (const ofResource of resourcesOf(request)) {
    const resource = openText(ofResource, names.scopes);
    for (const ofScope of scopesOf(ofResource)) {
      const texts = openText(ofScope, names.items);
      const all = [resource.head, resource.tail, texts.head, texts.tail];
      const scope = { resource, ...texts, byteCount: all.reduce((sum, text) => sum + utf8Length(text), 2) };
      for (const item of itemsOf(ofScope)) pieces.push(pieceOf(owner, scope, item, pieces.length));
    }
  }
  return pieces;
}

function pieceOf(owner: ObjectState, scope: ScopeText, item: ItemJson, index: number): SpanPiece {
  const json = jsonOf(item);
  const { traceId = '', spanId, attributes = [] } = item;
  const isSpan = owner.signal === 'traces';
  return {
    owner,
    scope,
    json,
    byteCount: utf8Length(json) + 1,
    // Records go together that were stored together.
    traceId: isSpan ? traceId : owner.object.key,
    // Nothing tells one record from another that says the same.
    identity: isSpan ? `${owner.project}/${traceId}${spanId}` : `${owner.object.key}#${index}`,
    interrupted: attributes.some(({ key, value }) => key === INTERRUPTED && value?.boolValue === true),
    delivered: false,
  };
}

/** An object's text with an array open at its end, and what closes both. */
export function openText(fields: object, list: string): { head: string; tail: string } {
  const head = jsonOf({ ...fields, [list]: undefined }).slice(0, -1);
  return { head: `${head}${head === '{' ? '' : ','}"${list}":[`, tail: ']}' };
}

const NOT_ASCII = /[^\0-\x7f]/;
const encoder = new TextEncoder();

export function utf8Length(text: string): number {
  return NOT_ASCII.test(text) ? encoder.encode(text).length : text.length;
}

const before = (signal: Signal): string => `{"${SIGNALS[signal].resources}":[`;
const AFTER = ']}';
/** Bytes of a request with nothing in it, of whichever signal. */
export const EMPTY_REQUEST_BYTES: number = before('traces').length + AFTER.length;

/** One OTLP/JSON request of the pieces' signal; pieces of one scope that follow one another share it. */
export function requestText(signal: Signal, pieces: readonly SpanPiece[]): string {
  let text = before(signal);
  let scope: ScopeText | undefined;
  for (const piece of pieces) {
    if (piece.scope === scope) text += `,${piece.json}`;
    else {
      if (scope?.resource === piece.scope.resource) text += `${scope.tail},`;
      else text += (scope ? `${scope.tail}${scope.resource.tail},` : '') + piece.scope.resource.head;
      text += piece.scope.head + piece.json;
      scope = piece.scope;
    }
  }
  return text + (scope ? scope.tail + scope.resource.tail : '') + AFTER;
}
