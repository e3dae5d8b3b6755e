/** The session's root and its tracks. Their spans begin when there is something in them. */
import type { Emitter } from './emit.js';
import { createIds, type Ids, type Word, wordOf } from './ids.js';
import type { Operation } from './operations.js';
import type { CheckedEventOptions, Key } from './options.js';
import type { EventSpan } from './span.js';
import { hrTimeOf } from './time.js';

/** One line of work: a thread, a worker, a tab. */
export interface Track {
  readonly name: Key;
  readonly word: Word;
  /** What the ids of its operations have in common. */
  readonly seed: Word;
  /** None until there is something in it. */
  span: EventSpan | undefined;
  /** The innermost of its operations. */
  top: Operation | undefined;
  /** When it was last named, by the monotonic clock. */
  usedAtMillis: number;
}

export interface TracksDeps {
  readonly options: CheckedEventOptions;
  readonly sessionWord: Word;
  readonly emitter: Emitter;
  monotonic(): number;
  /** Ends a track, and what is open on it. */
  close(track: Track, atMillis: number): void;
  /** Ends everything. */
  finalize(atMillis: number): void;
}

export interface Tracks {
  /** The session's ids; it begins with its first event. */
  begin(atMillis: number): Ids;
  readonly ids: Ids | undefined;
  readonly startedAtMillis: number | undefined;
  readonly root: EventSpan | undefined;
  readonly size: number;
  all(): Iterable<Track>;
  find(name: Key): Track | undefined;
  /** Finds or begins a track; one that is idle gives way where there are too many, else the answer is undefined. */
  use(name: Key, atMillis: number): Track | undefined;
  /** The track's span, which begins, and the root's before it, where it has not. One that has ended: all is over. */
  spanOf(track: Track, atMillis: number): EventSpan;
  /** Something happened on a track at a time: it, and the session, were there then. */
  stretch(track: Track, atMillis: number): void;
  /** Ends the track's span, not before what happened in it. If the track goes on, it does so in a further span. */
  endSpan(track: Track, atMillis: number): void;
  /** Ends the track's span and forgets the track. */
  remove(track: Track, atMillis: number): void;
  endRoot(atMillis: number): void;
}

export function createTracks({
  options,
  sessionWord,
  emitter,
  monotonic,
  close,
  finalize,
}: TracksDeps): Tracks {
  const { session, mainTrack, maxTracks } = options;
  const tracks = new Map<string, Track>();
  let startedAtMillis = session.startedAtMillis;
  let ids: Ids | undefined;
  let root: EventSpan | undefined;
  let mainHasBegun = false;

  const begin = (atMillis: number): Ids => {
    startedAtMillis ??= atMillis;
    ids ??= createIds(sessionWord, wordOf(mainTrack), hrTimeOf(startedAtMillis));
    return ids;
  };

  const rootSpan = (atMillis: number): EventSpan => {
    if (root) return root;
    const { traceId, rootId } = begin(atMillis);
    const read = { attributes: {}, droppedAttributesCount: 0 };
    const from = startedAtMillis as number;
    root = emitter.make({ traceId, spanId: rootId }, session.name, undefined, from, read, finalize);
    emitter.announce(root);
    return root;
  };

  const endSpan = (track: Track, atMillis: number): void => {
    const { span } = track;
    track.span = undefined;
    if (span && !span.ended) emitter.handOn(span, Math.max(atMillis, span.lastMillis));
  };

  const closeIdle = (): boolean => {
    let idle: Track | undefined;
    for (const track of tracks.values()) {
      if (!track.top && (!idle || track.usedAtMillis < idle.usedAtMillis)) idle = track;
    }
    if (idle) close(idle, 0);
    return idle !== undefined;
  };

  return {
    begin,
    get ids() {
      return ids;
    },
    get startedAtMillis() {
      return startedAtMillis;
    },
    get root() {
      return root;
    },
    get size() {
      return tracks.size;
    },
    all: () => tracks.values(),
    find: (name) => tracks.get(String(name)),
    use(name, atMillis) {
      const usedAtMillis = monotonic();
      const known = tracks.get(String(name));
      if (known) {
        known.usedAtMillis = usedAtMillis;
        return known;
      }
      if (tracks.size >= maxTracks && !closeIdle()) return undefined;
      const word = wordOf(name);
      const seed = begin(atMillis).trackSeed(word);
      const track: Track = {
        name,
        word,
        seed,
        span: undefined,
        top: undefined,
        usedAtMillis,
      };
      tracks.set(String(name), track);
      return track;
    },
    spanOf(track, atMillis) {
      const parent = rootSpan(atMillis);
      // A processor that was told of the root may have had the track begun, or have ended everything.
      if (track.span) return track.span;
      if (parent.ended) return parent;
      const { name, word } = track;
      // The session's own track is as old as the session.
      const isFirst = name === mainTrack && !mainHasBegun;
      if (isFirst) mainHasBegun = true;
      const from = isFirst ? (startedAtMillis as number) : atMillis;
      const { traceId, trackId } = begin(atMillis);
      const spanId = trackId(word, hrTimeOf(from));
      const read = { attributes: { 'thread.name': String(name) }, droppedAttributesCount: 0 };
      const end = (at: number): void => close(track, at);
      const span = emitter.make({ traceId, spanId }, String(name), parent.spanContext(), from, read, end);
      track.span = span;
      emitter.announce(span);
      return span;
    },
    stretch(track, atMillis) {
      for (const span of [track.span, root]) {
        span?.startNoLaterThan(atMillis);
        span?.touch(atMillis);
      }
    },
    endSpan,
    remove(track, atMillis) {
      tracks.delete(String(track.name));
      endSpan(track, atMillis);
    },
    endRoot(atMillis) {
      if (root && !root.ended) emitter.handOn(root, Math.max(atMillis, root.lastMillis));
    },
  };
}
