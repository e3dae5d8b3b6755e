import type { QuarantineReason } from './batch.js';

/** Where every object of a pass has gone: `listed` is the sum of those from `sent` to `left`. */
export interface ForwardCounts {
  /** Objects seen below the prefix, in the time asked for. */
  listed: number;
  /** Taken by the backend in this pass. */
  sent: number;
  /** Was done in an earlier pass, and is not sent again. */
  alreadyDone: number;
  /** Put aside, by reason. */
  quarantined: Partial<Record<QuarantineReason, number>>;
  /** Gone between listing and reading: deleted by another. */
  vanished: number;
  /** No trace object by its key, or one that the store does not hand out. Stays where it is. */
  skipped: number;
  /** Of a minute that another forwarder has. */
  busy: number;
  /** For the next pass, since this one ended early. */
  left: number;

  /** Objects read, and their bytes. */
  fetched: number;
  fetchedBytes: number;
  /** Requests to the backend, and bytes sent with them. */
  requests: number;
  sentBytes: number;
  /** In what was sent. */
  spans: number;
  logRecords: number;
  /** Refused by the backend in partial successes, of either. */
  rejectedSpans: number;
  /** The folder that is being worked on. */
  folder: string;
}

/** How a pass ended. `done`: with the last object of the listing. */
export type ForwardEnd = 'done' | 'aborted' | 'store-failed' | 'backend-busy' | 'backend-failed';

/** What a pass did. */
export interface ForwardSummary extends ForwardCounts {
  ended: ForwardEnd;
  /** Why it ended early: one line, without URL and secret. */
  message?: string;
  /** How long the backend asked to be left alone. */
  retryAfterMillis?: number;
  startedAtMillis: number;
  durationMillis: number;
  window: ForwardWindow;
}

/** What a pass looked at: minutes that end after one instant and begin before another. Epoch milliseconds. */
export interface ForwardWindow {
  /** Absent: from the oldest on. */
  fromMillis?: number;
  /** Absent: to the newest. */
  untilMillis?: number;
  /** Where this is why nothing older was looked at: `from`, or more of these, looks further back. */
  lookBackMinutes?: number;
}

export function emptyCounts(): ForwardCounts {
  return {
    ...{ listed: 0, sent: 0, alreadyDone: 0, quarantined: {}, vanished: 0, skipped: 0 },
    ...{ busy: 0, left: 0, fetched: 0, fetchedBytes: 0, requests: 0, sentBytes: 0 },
    ...{ spans: 0, logRecords: 0, rejectedSpans: 0, folder: '' },
  };
}

/** Objects that are accounted for otherwise than as left. */
export function accountedFor(counts: ForwardCounts): number {
  const { sent, alreadyDone, quarantined, vanished, skipped, busy } = counts;
  const aside = Object.values(quarantined).reduce((sum, count) => sum + count, 0);
  return sent + alreadyDone + aside + vanished + skipped + busy;
}

/** A pass that is to end before its listing does. Never leaves `forward`. */
export class EndOfPass extends Error {
  readonly end: Exclude<ForwardEnd, 'done'>;
  readonly retryAfterMillis: number | undefined;

  constructor(end: Exclude<ForwardEnd, 'done'>, message: string, retryAfterMillis?: number) {
    super(message);
    this.end = end;
    this.retryAfterMillis = retryAfterMillis;
  }
}
