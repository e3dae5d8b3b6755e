import { SpanStatusCode } from '@opentelemetry/api';
import { createPageClock, type PageClock } from '../platform/clock.js';
import { VERSION } from '../version.js';
import { sayFailure } from './failure.js';
import { type Word, wordOf } from './ids.js';
import { createMeanings, type Meaning } from './names.js';
import {
  type CheckedEventOptions,
  checkEventOptions,
  checkSession,
  type EventSession,
  type EventSpansOptions,
  isKey,
  type Key,
  type Payload,
} from './options.js';
import { createPayloadReader, type ReadPayload } from './payload.js';
import { sensitiveNames } from './sensitive.js';
import { type EventSnapshot, snapshotOf } from './snapshot.js';
import type { SpanFrame } from './span.js';
import { count, type EventStats, type Fate, type IgnoredReason, newStats, tally } from './stats.js';
import { type EventTime, millisOf } from './time.js';
import { createTree, type Happening, type Tree } from './tree.js';

type ReadEvent = Happening & Pick<ReadPayload, 'failure'>;

const randomWord = (): Word => {
  const [high = 0, low = 0] = crypto.getRandomValues(new Int32Array(2));
  return { high, low };
};

/**
 * Spans rebuilt live from named events: `checkout.started` begins a span, `checkout.completed` or `checkout.failed`
 * ends it, and whatever else comes becomes an event of the innermost open span of its track.
 *
 * A session is one trace: its root, a span for each track (the main thread, each worker), and the operations, nested
 * by the stack of their track, or below the operation that their payload names as parent. Spans go to the processor
 * the moment they end. The ids follow from the session and the events, so a replay makes no second trace.
 *
 * Nothing here throws but the constructor and `reset()`, and nothing is kept but what is open. It sets no timer and no
 * listener.
 *
 * @example
 * const spans = new EventSpans({ processor, service: 'shop' });
 * spans.handle('checkout.started', { id: 42, items: 3 });
 * spans.handle('voucher.redeemed', { code: 'SPRING' });
 * spans.handle('checkout.completed', { id: 42 });
 * spans.finalize();
 */
export class EventSpans {
  readonly #options: CheckedEventOptions;
  readonly #meaningOf: (name: string) => Meaning;
  readonly #read: (payload: unknown, meaning: Meaning, full: string) => ReadPayload | undefined;
  readonly #sources = new Set<() => void>();
  #session: CheckedEventOptions['session'];
  #clock: PageClock;
  /** When we last looked, by the monotonic clock. */
  #moment = 0;
  #stats!: EventStats;
  #tree!: Tree;

  /**
   * @param clock for tests.
   * @throws {TypeError} naming the option, what it got and what it takes.
   */
  constructor(options: EventSpansOptions, clock: PageClock = createPageClock()) {
    const checked = checkEventOptions(options);
    this.#options = checked;
    this.#session = checked.session;
    this.#clock = clock;
    this.#meaningOf = createMeanings(checked.endings, checked.routes);
    this.#read = createPayloadReader(checked, {
      maxAttributes: checked.maxAttributes,
      isSensitive: sensitiveNames(checked.redactKeys),
    });
    this.#begin();
  }

  /**
   * Takes an event.
   *
   * @param payload any object, or nothing. Its values become attributes, copied at once: texts, numbers, booleans and
   *   lists of them; what lies in plain objects under dotted names.
   * @param at when it happened: epoch milliseconds, with fractions, or a Date. Default: now.
   * @returns whether it began or ended an operation, or became an event of a span. If not, `stats()` tells why. Never
   *   throws.
   */
  handle(name: string, payload?: Payload | null, at?: EventTime): boolean {
    return this.handleOn(undefined, name, payload, at);
  }

  /** The same on a given track, whatever the payload says. For sources. Not part of the public promise. */
  handleOn(track: Key | undefined, name: string, payload?: Payload | null, at?: EventTime): boolean {
    this.#stats.handled++;
    try {
      return tally(this.#stats, this.#take(track, name, payload, at));
    } catch {
      return tally(this.#stats, 'exception');
    }
  }

  /**
   * Takes an operation that is over already, by the name of the operation. It is part of the innermost one of its track
   * that had begun when it did, or of the one that its payload names as parent.
   *
   * @returns as {@link handle} does. Counts as a begin and an end. Never throws.
   */
  record(
    name: string,
    payload: Payload | null | undefined,
    startedAt: EventTime,
    endedAt: EventTime,
  ): boolean {
    const stats = this.#stats;
    stats.handled++;
    try {
      const happening = this.#happening(undefined, name, payload, startedAt);
      const endMillis = millisOf(endedAt) ?? 'time';
      if (typeof happening === 'string') return tally(stats, happening);
      if (typeof endMillis === 'string') return tally(stats, endMillis);
      const fate = this.#tree.record(happening, endMillis);
      if (fate === 'taken') {
        stats.handled++;
        stats.started++;
        stats.stopped++;
      }
      return tally(stats, fate);
    } catch {
      return tally(this.#stats, 'exception');
    }
  }

  /**
   * Ends a track, and what is open on it, inner first, marked `spandrel.interrupted`: its worker has ended, say. What it
   * does later makes a further span.
   *
   * @returns whether there was one. Never throws.
   */
  endTrack(track: Key, at?: EventTime): boolean {
    return isKey(track) && this.#tree.endTrack(track, millisOf(at) ?? this.now());
  }

  /**
   * Ends everything: first what has been said to sources and not told yet; then the operations that are open, inner
   * first, marked `spandrel.interrupted`; then the tracks; last the root. A second call does nothing, and later events
   * are ignored. Never throws.
   *
   * @param at when the session ended, as in {@link handle}. Nothing ends before what happened in it.
   */
  finalize(at?: EventTime): void {
    if (this.#tree.isOver) return;
    for (const drain of this.#sources) {
      try {
        drain();
      } catch {
        this.#stats.exceptions++;
      }
    }
    this.#tree.finalize(millisOf(at) ?? this.now());
  }

  /** What has been counted since the beginning, or since {@link reset}. A copy. */
  stats(): EventStats {
    const { ignored, dropped } = this.#stats;
    return {
      ...this.#stats,
      ignored: { ...ignored },
      dropped: { ...dropped },
      tracks: this.#tree.trackCount,
    };
  }

  /** What is open now: a copy, plain enough for JSON. */
  snapshot(): EventSnapshot {
    return snapshotOf(this.#tree, this.#session, this.now(), this.stats());
  }

  /**
   * Ends everything as {@link finalize} does, and begins a session anew, with its counts at zero.
   *
   * @param session default: the one of the options again, which gives the same ids to the same events.
   * @throws {TypeError} naming the option. Nothing is changed then.
   */
  reset(session?: EventSession): void {
    const checked = session ? checkSession(session) : this.#options.session;
    this.finalize();
    this.#session = checked;
    this.#clock.anchor();
    this.#begin();
  }

  /** Epoch milliseconds by the session's clock: the wall clock as it was when it began, and what has passed since. */
  now(): number {
    this.#moment = this.#clock.now();
    return this.#clock.wall(this.#moment);
  }

  /** Epoch milliseconds of a moment of `performance.now()`. For sources. Not part of the public promise. */
  wall(moment: number): number {
    return this.#clock.wall(moment);
  }

  /** Counts what a source was told and could not make an event of. Not part of the public promise. */
  ignore(reason: IgnoredReason): void {
    this.#stats.handled++;
    tally(this.#stats, reason);
  }

  /** Has {@link finalize} ask a source for what it has not told yet. Not part of the public promise. */
  onFinalize(drain: () => void): () => void {
    this.#sources.add(drain);
    return () => void this.#sources.delete(drain);
  }

  #begin(): void {
    const { resource, maxEventsPerSpan, maxAttributes } = this.#options;
    const stats = newStats();
    this.now();
    const frame: SpanFrame = {
      resource,
      instrumentationScope: { name: 'spandrel/events', version: VERSION },
      maxEvents: maxEventsPerSpan,
      maxAttributes,
      now: () => this.now(),
      displaced: () => count(stats.dropped, 'max-events'),
    };
    const { id } = this.#session;
    this.#stats = stats;
    this.#tree = createTree({
      options: { ...this.#options, session: this.#session },
      sessionWord: id === undefined ? randomWord() : wordOf(id),
      frame,
      stats,
      monotonic: () => this.#moment,
    });
  }

  /** The event, read, or why it is none. */
  #happening(on: Key | undefined, name: unknown, payload: unknown, at: unknown): ReadEvent | IgnoredReason {
    if (typeof name !== 'string' || !name) return 'name';
    if (this.#tree.isOver) return 'finalized';
    const meaning = this.#meaningOf(name);
    if (!meaning.enabled) return 'disabled';
    const nowMillis = this.now();
    const atMillis = at === undefined ? nowMillis : millisOf(at);
    if (atMillis === undefined) return 'time';
    const said = this.#said(payload, meaning, name);
    if (!said) return 'payload';
    const { id, parent, read, failure } = said;
    // Before anything is looked for: it may be what is stale.
    this.#tree.sweep();
    return { meaning, track: on ?? said.track, id, parent, atMillis, read, failure };
  }

  #take(on: Key | undefined, name: string, payload: unknown, at: unknown): Fate {
    const tree = this.#tree;
    const stats = this.#stats;
    const happening = this.#happening(on, name, payload, at);
    if (typeof happening === 'string') return happening;
    const { meaning, failure, atMillis } = happening;
    switch (meaning.step) {
      case 'started': {
        const fate = tree.start(happening);
        if (fate === 'taken') stats.started++;
        return fate;
      }
      case 'other': {
        const fate = tree.note(name, happening);
        if (fate === 'taken') stats.events++;
        return fate;
      }
      default: {
        const fate = tree.stop(happening, (span) => {
          if (failure) sayFailure(span, failure, Math.max(atMillis, span.startMillis));
          else span.setStatus({ code: SpanStatusCode.OK });
        });
        if (fate !== 'taken') return fate;
        stats.stopped++;
        if (failure) stats.failed++;
        return fate;
      }
    }
  }

  #said(payload: unknown, meaning: Meaning, name: string): ReadPayload | undefined {
    try {
      return this.#read(payload, meaning, name);
    } catch {
      return undefined;
    }
  }
}
