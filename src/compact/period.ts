import type { Folder } from '../forward/folder.js';
import { folderAt } from '../forward/folder.js';
import { UNDATED_MILLIS } from '../object-key.js';
import { splitKey } from '../server/forwarded.js';
import { uuidV7, uuidV7Millis } from '../server/uuid.js';

/** How much time becomes one object. */
export type PeriodLength = 'minute' | 'hour' | 'day';

export const PERIOD_MILLIS: Readonly<Record<PeriodLength, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/** A period of one project and environment. What tells no time is one period, which never ends. */
export interface Period {
  /** Prefix, project and environment. */
  root: string;
  startsAtMillis: number;
  /** Absent where there is no end. */
  endsAtMillis?: number;
  /**
   * Where its objects go: its last minute, so that who reads what was stored since some instant misses nothing that
   * was stored after it.
   */
  folder: string;
}

/** What a compacted object's id says. */
export interface CompactedId {
  /** How many classes of traces had been taken out by then; see `retention.ts`. 0 to 15. */
  stage: number;
  /** Whether `forward` had sent what is in it. */
  isSent: boolean;
}

/** The period that a folder is in; undefined where it is not laid out as ours. */
export function periodOf({ root, startsAtMillis }: Folder, length: PeriodLength): Period | undefined {
  if (root === undefined) return undefined;
  if (startsAtMillis === undefined) {
    return { root, startsAtMillis: UNDATED_MILLIS, folder: folderAt(root, UNDATED_MILLIS) };
  }
  const millis = PERIOD_MILLIS[length];
  const start = Math.floor(startsAtMillis / millis) * millis;
  const endsAtMillis = start + millis;
  return {
    root,
    startsAtMillis: start,
    endsAtMillis,
    folder: folderAt(root, endsAtMillis - PERIOD_MILLIS.minute),
  };
}

/** In the place of the first four random bits. */
const MARK = 0x0c;

/**
 * The key of what some objects become: whoever makes the same of the same writes the same key. Its id's time is the
 * period's begin, which no client's in that folder is.
 *
 * @param purpose tells apart what is made of the same objects otherwise.
 */
export async function compactedKey(
  { folder, startsAtMillis }: Period,
  { stage, isSent }: CompactedId,
  inputs: readonly string[],
  purpose: string,
): Promise<string> {
  const digest = await digestOf([purpose, stage, isSent, ...[...inputs].sort()]);
  digest[0] = MARK;
  digest[1] = (isSent ? 0x80 : 0) | stage;
  return `${folder}/traces_${uuidV7(startsAtMillis, digest)}.json.gz`;
}

const ID = /^traces_([0-9a-f-]{36})\.json\.gz$/;

/** Reads the key of {@link compactedKey}; undefined for any other, also for one of another period. */
export function compactedIdOf(key: string, period: Period): CompactedId | undefined {
  const { folder, name } = splitKey(key);
  const id = ID.exec(name)?.[1] ?? '';
  if (folder !== period.folder || uuidV7Millis(id) !== period.startsAtMillis) return undefined;
  const bits = Number.parseInt(id.slice(15, 18), 16);
  if (bits >> 8 !== MARK) return undefined;
  return { stage: bits & 0x0f, isSent: (bits & 0x80) !== 0 };
}

/**
 * From when on what is in an object was stored, epoch milliseconds, where it was compacted: its key tells the last minute.
 * Undefined for all others.
 *
 * @param minuteMillis of its folder.
 */
export function compactedSince(key: string, minuteMillis: number): number | undefined {
  const id = ID.exec(splitKey(key).name)?.[1] ?? '';
  const startsAtMillis = uuidV7Millis(id);
  if (startsAtMillis === undefined || Number.parseInt(id.slice(15, 16), 16) !== MARK) return undefined;
  const millis = minuteMillis + PERIOD_MILLIS.minute - startsAtMillis;
  const isPeriod = Object.values(PERIOD_MILLIS).includes(millis) && startsAtMillis % millis === 0;
  return isPeriod ? startsAtMillis : undefined;
}

/** SHA-256 of a value as JSON. */
export async function digestOf(value: unknown): Promise<Uint8Array> {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}
