/** Why an event was of no use. */
export type IgnoredReason =
  | 'name' // no text, or an empty one
  | 'payload' // no object, or one that cannot be read
  | 'time' // no instant from 1970 to 2554
  | 'not-open' // it ends an operation that is not open: never begun, ended already, or dropped
  | 'disabled' // its route says so
  | 'finalized' // the session is over
  | 'message' // a source was told something that is no event of ours
  | 'exception'; // ours; there should be none

/** Why something was not kept. */
export type EventDropReason =
  | 'max-open' // an operation began while as many as may be were open
  | 'max-tracks' // a track was named while as many as may be were in use
  | 'max-events'; // an event gave way to a later one of its span

export interface EventStats {
  /** Calls of `handle()`, and what sources were told. `started + stopped + events + sampledOut + ignored + dropped`, but for `max-events`. */
  handled: number;
  /** Operations that began. */
  started: number;
  /** Operations that were ended by an event. */
  stopped: number;
  /** Of these, those that failed. */
  failed: number;
  /** Events that became events of a span. */
  events: number;
  /** Begins, ends and events that were left out by a route's `sampleRate`. */
  sampledOut: number;
  ignored: Partial<Record<IgnoredReason, number>>;
  dropped: Partial<Record<EventDropReason, number>>;
  /** Spans that were handed to the processor's `onStart`: the session's, tracks', and operations'. */
  opened: number;
  /** Spans that were handed to its `onEnd`. `opened = closed + open`. */
  closed: number;
  /** Of these, operations that something else ended: the end of the session or of their track, a restart, age. */
  interrupted: number;
  /** Of these, those that were open too long. */
  swept: number;
  /** Exceptions of the processor, caught. */
  exceptions: number;
  /** Spans that are open now. */
  open: number;
  /** Tracks that are open now. */
  tracks: number;
}

export const newStats = (): EventStats => ({
  ...{ handled: 0, started: 0, stopped: 0, failed: 0, events: 0, sampledOut: 0, ignored: {}, dropped: {} },
  ...{ opened: 0, closed: 0, interrupted: 0, swept: 0, exceptions: 0, open: 0, tracks: 0 },
});

/** One more of a reason. */
export function count<R extends string>(of: Partial<Record<R, number>>, reason: R): void {
  of[reason] = (of[reason] ?? 0) + 1;
}

/** What became of an event. */
export type Fate = 'taken' | 'sampled-out' | EventDropReason | IgnoredReason;

/** Counts what became of an event, if nothing came of it. @returns whether something did. */
export function tally(stats: EventStats, fate: Fate): boolean {
  switch (fate) {
    case 'taken':
      return true;
    case 'sampled-out':
      stats.sampledOut++;
      return false;
    case 'max-open':
    case 'max-tracks':
    case 'max-events':
      count(stats.dropped, fate);
      return false;
    default:
      count(stats.ignored, fate);
      return false;
  }
}
