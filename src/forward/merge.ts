/** Which spans go together in a request. */
import { EMPTY_REQUEST_BYTES, type ObjectState, type ScopeText, type SpanPiece } from './pieces.js';

export interface RequestLimits {
  /** Of JSON, before gzip. */
  maxRequestBytes: number;
  maxRequestSpans: number;
}

export interface PlannedRequest {
  pieces: SpanPiece[];
  /** The whole of one object goes as it is stored. */
  stored?: Uint8Array<ArrayBuffer>;
}

/**
 * Parts of one trace go in one request, however many objects they are in, and an object in as few requests as its
 * traces allow, so that it is known which one a backend will not have. What is too large for a request is divided by
 * traces, and a trace that alone is too large by spans.
 */
export function planRequests(objects: readonly ObjectState[], limits: RequestLimits): PlannedRequest[] {
  const planned: PlannedRequest[] = [];
  let open = createFill(limits);
  const close = (): void => {
    if (open.pieces.length) planned.push({ pieces: open.pieces });
    open = createFill(limits);
  };
  const put = (pieces: SpanPiece[]): void => {
    if (open.pieces.length && !open.takes(pieces)) close();
    open.add(pieces);
  };
  for (const group of groupsOf(objects)) {
    const [first] = group;
    const pieces = group.flatMap((object) => object.pieces);
    const fits = createFill(limits).takes(pieces);
    if (fits && group.length === 1 && first?.asStored && first.duplicateCount === 0) {
      planned.push({ pieces, stored: first.object.bytes });
    } else if (fits) put(pieces);
    else {
      for (const ofTrace of byTrace(pieces)) {
        if (createFill(limits).takes(ofTrace)) put(ofTrace);
        else for (const piece of ofTrace) put([piece]);
      }
    }
  }
  close();
  return planned;
}

/** A request that is being filled. */
interface Fill {
  readonly pieces: SpanPiece[];
  takes(pieces: readonly SpanPiece[]): boolean;
  add(pieces: readonly SpanPiece[]): void;
}

function createFill({ maxRequestBytes, maxRequestSpans }: RequestLimits): Fill {
  const filled: SpanPiece[] = [];
  let byteCount = EMPTY_REQUEST_BYTES;
  let scope: ScopeText | undefined;
  /** Counts a resource once for each of its scopes, which is more than it takes. */
  const bytesWith = (pieces: readonly SpanPiece[]): number => {
    let last = scope;
    let sum = byteCount;
    for (const piece of pieces) {
      sum += piece.byteCount + (piece.scope === last ? 0 : piece.scope.byteCount);
      last = piece.scope;
    }
    return sum;
  };
  return {
    pieces: filled,
    takes: (pieces) =>
      filled.length + pieces.length <= maxRequestSpans && bytesWith(pieces) <= maxRequestBytes,
    add(pieces) {
      byteCount = bytesWith(pieces);
      scope = pieces.at(-1)?.scope;
      for (const piece of pieces) filled.push(piece);
    },
  };
}

/** Objects that have a trace in common, also by way of others; in the order of their first. */
function groupsOf(objects: readonly ObjectState[]): ObjectState[][] {
  const groupOf = new Map<ObjectState, ObjectState[]>();
  const ownerOf = new Map<string, ObjectState>();
  for (const object of objects) {
    if (!object.pieces.length) continue;
    groupOf.set(object, [object]);
    for (const { traceId } of object.pieces) {
      const owner = ownerOf.get(traceId);
      if (!owner) ownerOf.set(traceId, object);
      else if (owner !== object) join(groupOf, owner, object);
    }
  }
  const groups = [...new Set(groupOf.values())];
  for (const group of groups) group.sort((a, b) => a.index - b.index);
  return groups;
}

function join(groupOf: Map<ObjectState, ObjectState[]>, a: ObjectState, b: ObjectState): void {
  const [one = [], other = []] = [groupOf.get(a), groupOf.get(b)];
  if (one === other) return;
  const [large, small] = one.length < other.length ? [other, one] : [one, other];
  for (const object of small) {
    large.push(object);
    groupOf.set(object, large);
  }
}

function byTrace(pieces: readonly SpanPiece[]): SpanPiece[][] {
  const traces = new Map<string, SpanPiece[]>();
  for (const piece of pieces) {
    const trace = traces.get(piece.traceId);
    if (trace) trace.push(piece);
    else traces.set(piece.traceId, [piece]);
  }
  return [...traces.values()];
}

/** In two, between objects: which of them a backend will not have. Undefined when there is one object. */
export function halveByObject(pieces: readonly SpanPiece[]): [SpanPiece[], SpanPiece[]] | undefined {
  const owners = [...new Set(pieces.map(({ owner }) => owner))];
  if (owners.length < 2) return undefined;
  const first = new Set(owners.slice(0, Math.ceil(owners.length / 2)));
  return [pieces.filter(({ owner }) => first.has(owner)), pieces.filter(({ owner }) => !first.has(owner))];
}

/** In two, between traces where there are several: it was too large. Undefined when there is one span. */
export function halve(pieces: readonly SpanPiece[]): [SpanPiece[], SpanPiece[]] | undefined {
  const traces = byTrace(pieces);
  if (traces.length > 1) {
    const middle = Math.ceil(traces.length / 2);
    return [traces.slice(0, middle).flat(), traces.slice(middle).flat()];
  }
  const middle = Math.ceil(pieces.length / 2);
  return pieces.length > 1 ? [pieces.slice(0, middle), pieces.slice(middle)] : undefined;
}
