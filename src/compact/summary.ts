import type { QuarantineReason } from '../forward/batch.js';

/** Where every object of a pass has gone: `listed` is the sum of those from `compacted` to `left`. */
export interface CompactCounts {
  /** Objects seen below the prefix, in the time asked for. */
  listed: number;
  /** Became part of others, or were not to be kept. */
  compacted: number;
  /** Were compacted before and only had to be deleted: a compactor died, or a page put them again. */
  leftOver: number;
  /** Stay as they are: alone in their period, compacted already, or put aside by name earlier. */
  kept: number;
  /** Put aside, by reason; those that are too large stay where they are as well. */
  quarantined: Partial<Record<QuarantineReason, number>>;
  /** Gone between listing and reading: deleted by another. */
  vanished: number;
  /** No trace object by its key, or one that the store does not hand out. */
  skipped: number;
  /** Of a period that has not been over for long enough. */
  tooYoung: number;
  /** Of a period that another compactor or forwarder works on. */
  busy: number;
  /** For the next pass, since this one ended early. */
  left: number;

  /** Objects written, their bytes, and the bytes of what became part of them. */
  written: number;
  writtenBytes: number;
  readBytes: number;
  /** Spans written; and left out: as duplicates, of bots, and because their time is up. */
  spans: number;
  duplicateSpans: number;
  botSpans: number;
  expiredSpans: number;
  /** The folder that is being worked on. */
  folder: string;
}

/** How a pass ended. `done`: with the last object of the listing. */
export type CompactEnd = 'done' | 'aborted' | 'store-failed';

/** What a pass did. */
export interface CompactSummary extends CompactCounts {
  ended: CompactEnd;
  /** Why it ended early: one line, without URL and secret. */
  message?: string;
  startedAtMillis: number;
  durationMillis: number;
}

export function emptyCounts(): CompactCounts {
  return {
    ...{ listed: 0, compacted: 0, leftOver: 0, kept: 0, quarantined: {}, vanished: 0, skipped: 0 },
    ...{ tooYoung: 0, busy: 0, left: 0, written: 0, writtenBytes: 0, readBytes: 0 },
    ...{ spans: 0, duplicateSpans: 0, botSpans: 0, expiredSpans: 0, folder: '' },
  };
}

/** Objects that are accounted for otherwise than as left. */
export function accountedFor(counts: CompactCounts): number {
  const { compacted, leftOver, kept, quarantined, vanished, skipped, tooYoung, busy } = counts;
  const aside = Object.values(quarantined).reduce((sum, count) => sum + count, 0);
  return compacted + leftOver + kept + aside + vanished + skipped + tooYoung + busy;
}
