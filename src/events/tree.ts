/**
 * The spans of one session: its root, below that one for each track, below these the operations, nested by the stack
 * of their track or where their payloads say so. A span is handed on the moment it ends; nothing is kept of it.
 */
import type { SpanContext } from '@opentelemetry/api';
import type { Read } from './attributes.js';
import { createEmitter } from './emit.js';
import { type Word, wordOf } from './ids.js';
import { isSampled, type Meaning } from './names.js';
import { createOperations, innerFirst, innermost, type Operation, spanOf } from './operations.js';
import type { CheckedEventOptions, Key } from './options.js';
import type { EventSpan, SpanFrame } from './span.js';
import type { EventStats, Fate } from './stats.js';
import { hrTimeOf } from './time.js';
import { createTracks, type Track } from './tracks.js';

/** An event, read. */
export interface Happening {
  readonly meaning: Meaning;
  readonly track: Key;
  readonly id: string | undefined;
  readonly parent: string | undefined;
  readonly atMillis: number;
  readonly read: Read;
}

export interface TreeDeps {
  readonly options: CheckedEventOptions;
  readonly sessionWord: Word;
  readonly frame: SpanFrame;
  readonly stats: EventStats;
  monotonic(): number;
}

export interface Tree {
  start(happening: Happening): Fate;
  /** @param say what is still to be said of the operation's span. */
  stop(happening: Happening, say: (span: EventSpan) => void): Fate;
  /** An operation that is over already: below the innermost one that was open when it began, or below its parent. */
  record(happening: Happening, endMillis: number): Fate;
  note(name: string, happening: Happening): Fate;
  /** Ends a track, and what is open on it. False when there is none. */
  endTrack(name: Key, atMillis: number): boolean;
  /** Ends what has been open, and tracks that have been unused, for too long. Cheap when it is not time. */
  sweep(): void;
  /** Ends everything: operations inner first, tracks next, the root last. Once. */
  finalize(atMillis: number): void;
  readonly isOver: boolean;
  readonly trackCount: number;
  /** Undefined before the first event. */
  readonly traceId: string | undefined;
  /** Epoch milliseconds. */
  readonly startedAtMillis: number | undefined;
  /** The spans of the root, of the tracks, and of the operations in the order in which they began. */
  open(): { root: EventSpan | undefined; tracks: EventSpan[]; operations: EventSpan[] };
}

/** Looking for what is stale takes a walk over the tracks. */
const SWEEP_MILLIS = 60_000;

const INTERRUPTED = 'spandrel.interrupted';

export function createTree({ options, sessionWord, frame, stats, monotonic }: TreeDeps): Tree {
  const { processor, session, maxOpen, dropWhenFull, maxEventsPerSpan, staleMillis } = options;
  const common = session.id === undefined ? {} : { 'session.id': String(session.id) };
  const emitter = createEmitter(processor, frame, stats, common);
  const operations = createOperations();
  let isOver = false;
  let sweptAtMillis = monotonic();

  const endOperation = (operation: Operation, atMillis: number): void => {
    const { span, track, up } = operation;
    operations.remove(operation);
    if (!span) return;
    const end = Math.max(atMillis, span.startMillis);
    spanOf(up)?.touch(end);
    tracks.stretch(track, end);
    emitter.handOn(span, end);
  };

  /** Ends what nothing else has ended, at the given time or when something last happened in it. */
  const interrupt = (operation: Operation, atMillis: number): void => {
    const { span } = operation;
    if (operation.isOver) return;
    if (span) {
      stats.interrupted++;
      // Whatever the limit: without it the span would tell a lie.
      span.attributes[INTERRUPTED] = true;
    }
    endOperation(operation, Math.max(atMillis, span?.lastMillis ?? 0));
  };

  const closeTrack = (track: Track, atMillis: number): void => {
    const open: Operation[] = [];
    for (let at = track.top; at; at = at.below) open.push(at);
    for (const operation of innerFirst(open.reverse())) interrupt(operation, atMillis);
    tracks.remove(track, atMillis);
  };

  const finalize = (atMillis: number): void => {
    if (isOver) return;
    isOver = true;
    for (const operation of innerFirst(operations.all())) interrupt(operation, atMillis);
    for (const track of [...tracks.all()].reverse()) closeTrack(track, atMillis);
    tracks.endRoot(atMillis);
  };

  const tracks = createTracks({ options, sessionWord, emitter, monotonic, close: closeTrack, finalize });

  /** The parent that a payload names: one that is open, or was until lately; else it may come. */
  const parentOf = (
    id: string | undefined,
  ): { open?: Operation | undefined; recent?: SpanContext | undefined; late?: string | undefined } => {
    if (id === undefined) return {};
    const open = operations.latest(id);
    if (open) return { open };
    const recent = operations.recent(id);
    return recent ? { recent } : { late: id };
  };

  const idsOf = (track: Track, { meaning, id, atMillis }: Happening): { traceId: string; spanId: string } => {
    const { traceId, operationId } = tracks.begin(atMillis);
    const word = id === undefined ? undefined : wordOf(id);
    const spanId = operationId(track.seed, hrTimeOf(atMillis), meaning.word, word);
    return { traceId, spanId };
  };

  return {
    start(happening) {
      const { meaning, id, parent, atMillis, read } = happening;
      const earlier = id === undefined ? undefined : operations.find(id, meaning.name);
      if (earlier) interrupt(earlier, atMillis);
      if (operations.size >= maxOpen) {
        if (dropWhenFull === 'newest') return 'max-open';
        const [oldest] = operations.all();
        if (oldest) interrupt(oldest, atMillis);
      }
      const track = tracks.use(happening.track, atMillis);
      if (!track) return 'max-tracks';
      const isKept = isSampled(tracks.begin(atMillis).traceId, meaning.sampleRate);
      const ofTrack = isKept ? tracks.spanOf(track, atMillis) : undefined;
      // A processor has been told of them, and may have ended them.
      if (isOver || ofTrack?.ended) return 'finalized';

      const named = parentOf(parent === id ? undefined : parent);
      const operation: Operation = {
        name: meaning.name,
        id,
        track,
        insertedAtMillis: monotonic(),
        span: undefined,
        up: named.open ?? track.top,
        waitsFor: named.late,
        below: undefined,
        above: undefined,
        isOver: false,
      };
      // Of those left out as well: the ids of the others do not depend on it.
      const ids = idsOf(track, happening);
      if (ofTrack) {
        const above = named.recent ?? (spanOf(operation.up) ?? ofTrack).spanContext();
        const end = (at: number): void => {
          stats.interrupted++;
          endOperation(operation, at);
        };
        const { name, processor: to } = meaning;
        operation.span = emitter.make(ids, name, above, atMillis, read, end, to);
        tracks.stretch(track, atMillis);
      }
      operations.add(operation);
      for (const { span } of operations.adopted(operation)) {
        const above = spanOf(operation);
        if (span && above) span.parentSpanContext = above.spanContext();
      }
      if (!operation.span) return 'sampled-out';
      emitter.announce(operation.span);
      return 'taken';
    },

    stop({ meaning, track: trackName, id, atMillis, read }, say) {
      const track = tracks.find(trackName);
      const byId = id === undefined ? undefined : operations.find(id, meaning.name);
      const operation = byId ?? (track && innermost(track, meaning.name, id !== undefined));
      if (!operation) return 'not-open';
      const { span } = operation;
      if (span) {
        span.setAttributes(read.attributes);
        span.droppedAttributesCount += read.droppedAttributesCount;
        say(span);
      }
      if (track) track.usedAtMillis = monotonic();
      endOperation(operation, atMillis);
      return span ? 'taken' : 'sampled-out';
    },

    record(happening, endMillis) {
      const { meaning, id, parent, atMillis, read } = happening;
      const track = tracks.use(happening.track, atMillis);
      if (!track) return 'max-tracks';
      if (!isSampled(tracks.begin(atMillis).traceId, meaning.sampleRate)) return 'sampled-out';
      const ofTrack = tracks.spanOf(track, atMillis);
      if (isOver || ofTrack.ended) return 'finalized';
      const named = parentOf(parent === id ? undefined : parent);
      let holder = track.top;
      while (holder?.span && holder.span.startMillis > atMillis) holder = holder.below;
      const above = named.recent ?? (spanOf(named.open ?? holder) ?? ofTrack).spanContext();
      const end = (at: number): void => {
        if (!span.ended) emitter.handOn(span, at);
      };
      const ids = idsOf(track, happening);
      const { name, processor: to } = meaning;
      const span = emitter.make(ids, name, above, atMillis, read, end, to);
      tracks.stretch(track, atMillis);
      tracks.stretch(track, endMillis);
      emitter.announce(span);
      end(endMillis);
      return 'taken';
    },

    note(name, { meaning, track: trackName, id, atMillis, read }) {
      if (!isSampled(tracks.begin(atMillis).traceId, meaning.sampleRate)) return 'sampled-out';
      const byId = id === undefined ? undefined : operations.latest(id);
      const track = byId?.track ?? tracks.use(trackName, atMillis);
      if (!track) return 'max-tracks';
      const operation = byId ?? track.top;
      if (operation && !operation.span) return 'sampled-out';
      // A track goes on in a further span rather than lose what was said.
      if (!operation && (track.span?.events.length ?? 0) >= maxEventsPerSpan) tracks.endSpan(track, 0);
      const span = operation?.span ?? tracks.spanOf(track, atMillis);
      if (span.ended) return 'finalized';
      span.note(name, atMillis, read.attributes, read.droppedAttributesCount);
      tracks.stretch(track, atMillis);
      return 'taken';
    },

    endTrack(name, atMillis) {
      const track = tracks.find(name);
      if (track) closeTrack(track, atMillis);
      return track !== undefined;
    },

    sweep() {
      const now = monotonic();
      if (now - sweptAtMillis < Math.min(SWEEP_MILLIS, staleMillis)) return;
      sweptAtMillis = now;
      for (const operation of operations.all()) {
        if (now - operation.insertedAtMillis < staleMillis) break;
        if (operation.span) stats.swept++;
        interrupt(operation, 0);
      }
      for (const track of tracks.all()) {
        if (!track.top && now - track.usedAtMillis >= staleMillis) closeTrack(track, 0);
      }
    },

    finalize,
    get isOver() {
      return isOver;
    },
    get trackCount() {
      return tracks.size;
    },
    get traceId() {
      return tracks.ids?.traceId;
    },
    get startedAtMillis() {
      return tracks.startedAtMillis;
    },
    open: () => ({
      root: tracks.root?.ended ? undefined : tracks.root,
      tracks: [...tracks.all()].flatMap(({ span }) => span ?? []),
      operations: [...operations.all()].flatMap(({ span }) => span ?? []),
    }),
  };
}
