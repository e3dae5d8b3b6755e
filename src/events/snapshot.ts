import type { Attributes } from '@opentelemetry/api';
import type { CheckedEventOptions, Key } from './options.js';
import type { EventSpan } from './span.js';
import type { EventStats } from './stats.js';
import type { Tree } from './tree.js';

/** A span that is open. */
export interface SnapshotSpan {
  kind: 'session' | 'track' | 'operation';
  name: string;
  /** 16 lowercase hex digits. */
  spanId: string;
  parentSpanId?: string;
  /** Epoch milliseconds. */
  startedAtMillis: number;
  eventCount: number;
  attributes: Attributes;
}

/** What is open, as {@link EventSpans.snapshot} tells it. */
export interface EventSnapshot {
  session: { id?: Key; name: string; startedAtMillis?: number };
  /** 32 lowercase hex digits; missing before the first event. */
  traceId?: string;
  /** Epoch milliseconds. */
  takenAtMillis: number;
  finalized: boolean;
  stats: EventStats;
  /** The root, the tracks, and the operations in the order in which they began. */
  spans: SnapshotSpan[];
}

function spanOf(kind: SnapshotSpan['kind'], span: EventSpan): SnapshotSpan {
  const { name, parentSpanContext: parent, startMillis: startedAtMillis, events } = span;
  const { spanId } = span.spanContext();
  const copies = Object.entries(span.attributes).map(([key, value]) => [
    key,
    Array.isArray(value) ? [...value] : value,
  ]);
  return {
    ...{ kind, name, spanId, ...(parent && { parentSpanId: parent.spanId }), startedAtMillis },
    ...{ eventCount: events.length, attributes: Object.fromEntries(copies) },
  };
}

export function snapshotOf(
  tree: Tree,
  { id, name }: CheckedEventOptions['session'],
  takenAtMillis: number,
  stats: EventStats,
): EventSnapshot {
  const { root, tracks, operations } = tree.open();
  const { traceId, startedAtMillis, isOver } = tree;
  return {
    session: {
      ...(id !== undefined && { id }),
      name,
      ...(startedAtMillis !== undefined && { startedAtMillis }),
    },
    ...(traceId && { traceId }),
    takenAtMillis,
    finalized: isOver,
    stats,
    spans: [
      ...(root ? [spanOf('session', root)] : []),
      ...tracks.map((span) => spanOf('track', span)),
      ...operations.map((span) => spanOf('operation', span)),
    ],
  };
}
