/** Each span once: pages send again what they do not know to be stored, and queues deliver twice. */
import type { ObjectState, SpanPiece } from './pieces.js';

/** Spans that a backend has taken, as many as are remembered. */
export interface SeenSpans {
  /** An interrupted span that comes again whole is not the same. */
  has(piece: SpanPiece): boolean;
  add(piece: SpanPiece): void;
}

/** @param maxSpans the longest known are forgotten first. About 150 bytes each. */
export function createSeenSpans(maxSpans: number): SeenSpans {
  /** Whether what was sent was interrupted. */
  const seen = new Map<string, boolean>();
  return {
    has: ({ identity, interrupted }) => {
      const before = seen.get(identity);
      return before !== undefined && (interrupted || !before);
    },
    add({ identity, interrupted }) {
      seen.delete(identity);
      seen.set(identity, interrupted);
      if (seen.size <= maxSpans) return;
      const [oldest = ''] = seen.keys();
      seen.delete(oldest);
    },
  };
}

/**
 * Leaves out of `objects` what has been sent before, and of spans that are there several times all but one: the first
 * that was not interrupted, else the first. In place.
 */
export function leaveOutTwins(objects: readonly ObjectState[], seen: SeenSpans): void {
  const chosen = new Map<string, SpanPiece>();
  for (const { pieces } of objects) {
    for (const piece of pieces) {
      if (seen.has(piece)) continue;
      const before = chosen.get(piece.identity);
      if (!before || (before.interrupted && !piece.interrupted)) chosen.set(piece.identity, piece);
    }
  }
  for (const object of objects) {
    const kept = object.pieces.filter((piece) => chosen.get(piece.identity) === piece);
    object.duplicateCount = object.pieces.length - kept.length;
    if (object.duplicateCount === 0) continue;
    for (const { identity } of object.pieces) {
      const twin = chosen.get(identity);
      if (twin && twin.owner !== object) object.twins.push(twin);
    }
    object.pieces = kept;
  }
}
