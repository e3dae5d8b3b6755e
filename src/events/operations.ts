/**
 * The operations that are open: on the stack of their track, under their id, and waiting for a parent that has not
 * begun. Knows nothing of spans but that an operation may have one.
 */
import type { SpanContext } from '@opentelemetry/api';
import type { EventSpan } from './span.js';
import type { Track } from './tracks.js';

export interface Operation {
  readonly name: string;
  readonly id: string | undefined;
  readonly track: Track;
  /** By the monotonic clock: what an event says of the time may be long ago. */
  readonly insertedAtMillis: number;
  /** None when it is left out by its route, or is over. */
  span: EventSpan | undefined;
  /** What it is part of; may be over. */
  up: Operation | undefined;
  /** The id of a parent that is not known yet. */
  waitsFor: string | undefined;
  /** Neighbours on the stack of its track. */
  below: Operation | undefined;
  above: Operation | undefined;
  isOver: boolean;
}

export interface Operations {
  readonly size: number;
  /** In the order in which they began. */
  all(): Iterable<Operation>;
  add(operation: Operation): void;
  remove(operation: Operation): void;
  /** The operation of that name and id. */
  find(id: string, name: string): Operation | undefined;
  /** The latest operation of that id. */
  latest(id: string): Operation | undefined;
  /** The span of an operation of that id that is over, if that was not long ago. */
  recent(id: string): SpanContext | undefined;
  /** Those whose parent has begun now: what waited for it, but for what it is part of itself. */
  adopted(parent: Operation): Operation[];
}

/** Work often goes on elsewhere just after its parent has ended, and messages take their time. At least so many. */
const MIN_RECENT = 128;

/**
 * What an operation is part of, as far as it is open. What is over is left out for good: chains of operations that
 * each name the last would otherwise keep all of them.
 */
function openAbove(operation: Operation): Operation | undefined {
  let up = operation.up;
  while (up?.isOver) up = up.up;
  operation.up = up;
  return up;
}

/** The span of an operation or of the next above it that has one. */
export function spanOf(operation: Operation | undefined): EventSpan | undefined {
  let at = operation;
  while (at && !at.span) at = openAbove(at);
  return at?.span;
}

/** Parts before what they are part of, later ones first. */
export function innerFirst(operations: Iterable<Operation>): Operation[] {
  const depths = new Map<Operation, number>();
  const list = [...operations].reverse();
  for (const operation of list) {
    const path: Operation[] = [];
    let at: Operation | undefined = operation;
    for (; at && !depths.has(at); at = openAbove(at)) path.push(at);
    let depth = at ? (depths.get(at) ?? 0) : 0;
    for (const step of path.reverse()) depths.set(step, ++depth);
  }
  return list.sort((a, b) => (depths.get(b) ?? 0) - (depths.get(a) ?? 0));
}

/** The innermost operation of a track of that name, and without an id where that is asked for. */
export function innermost(track: Track, name: string, withoutId: boolean): Operation | undefined {
  let at = track.top;
  while (at && (at.name !== name || (withoutId && at.id !== undefined))) at = at.below;
  return at;
}

/** Adds to the list under a key. */
function push<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}

function take<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  const at = list?.lastIndexOf(item) ?? -1;
  if (!list || at < 0) return;
  if (list.length === 1) lists.delete(key);
  else list.splice(at, 1);
}

export function createOperations(): Operations {
  const open = new Set<Operation>();
  const byId = new Map<string, Operation[]>();
  const waiting = new Map<string, Operation[]>();
  let recent = new Map<string, SpanContext>();
  let lessRecent = recent;

  /** In two generations: to take the oldest out of one map, again and again, costs more. */
  const remember = (id: string, span: EventSpan): void => {
    if (recent.size >= MIN_RECENT) {
      lessRecent = recent;
      recent = new Map();
    }
    recent.set(id, span.spanContext());
  };

  return {
    get size() {
      return open.size;
    },
    all: () => open,
    add(operation) {
      const { track, id, waitsFor } = operation;
      operation.below = track.top;
      if (track.top) track.top.above = operation;
      track.top = operation;
      open.add(operation);
      if (id !== undefined) push(byId, id, operation);
      if (waitsFor !== undefined) push(waiting, waitsFor, operation);
      if (operation.up) openAbove(operation.up);
    },
    remove(operation) {
      const { track, id, waitsFor, below, above } = operation;
      if (above) above.below = below;
      else track.top = below;
      if (below) below.above = above;
      operation.below = operation.above = undefined;
      open.delete(operation);
      if (id !== undefined) {
        take(byId, id, operation);
        if (operation.span) remember(id, operation.span);
      }
      if (waitsFor !== undefined) take(waiting, waitsFor, operation);
      operation.isOver = true;
      operation.span = undefined;
    },
    find: (id, name) => byId.get(id)?.find((operation) => operation.name === name),
    latest: (id) => byId.get(id)?.at(-1),
    recent: (id) => recent.get(id) ?? lessRecent.get(id),
    adopted(parent) {
      const waiters = parent.id !== undefined && waiting.get(parent.id);
      if (!waiters) return [];
      waiting.delete(parent.id as string);
      const above = new Set<Operation>();
      for (let at: Operation | undefined = parent; at; at = openAbove(at)) above.add(at);
      for (const waiter of waiters) waiter.waitsFor = undefined;
      const adopted = waiters.filter((waiter) => !above.has(waiter));
      for (const waiter of adopted) waiter.up = parent;
      return adopted;
    },
  };
}
