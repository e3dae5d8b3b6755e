import { compactedSince, PERIOD_MILLIS } from '../compact/period.js';
import { folderAt } from '../forward/folder.js';
import { UNDATED_MILLIS } from '../object-key.js';
import { openObjectPages } from '../server/object-pages.js';
import type { Storage, StoredObject } from '../server/storage.js';

/** Folders of the layout, up to the part that is time. See `object-key.ts`. */
const TIMED = /^(.*?\/|)(year=(\d{4})\/month=(\d\d)\/day=(\d\d)\/hour=(\d\d)\/minute=(\d\d)\/)/;
const MINUTE_MILLIS = 60_000;
/** Comes after every folder of time, and before what the next environment or project is called. */
const AFTER_TIME = 'year=~';

export interface WalkOptions {
  prefix: string;
  /** Only what was stored from here on, epoch milliseconds, by the minute that is in the key. */
  fromMillis?: number;
  /** Only what was stored before this. */
  untilMillis?: number;
  signal?: AbortSignal;
}

/** The minute that a key names, epoch milliseconds; undefined for other keys, and for those of what tells no time. */
export function minuteOf(key: string): number | undefined {
  const [, , , year, month, day, hour, minute] = TIMED.exec(key) ?? [];
  if (year === undefined) return undefined;
  const millis = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute));
  return millis === UNDATED_MILLIS ? undefined : millis;
}

/**
 * The objects under a prefix in the order of keys, page by page. With `fromMillis` and `untilMillis` it jumps over
 * what lies outside, so that a day of a year's bucket costs the listings of that day: one jump for each project and
 * environment. Keys without a minute count by when they were written, where the store tells.
 */
export async function* walkObjects(
  storage: Storage,
  {
    prefix,
    fromMillis = Number.NEGATIVE_INFINITY,
    untilMillis = Number.POSITIVE_INFINITY,
    signal,
  }: WalkOptions,
): AsyncGenerator<StoredObject[], void, undefined> {
  const isInside = ({ key, storedAtMillis }: StoredObject): boolean => {
    const minute = minuteOf(key);
    if (minute !== undefined) {
      // A minute's folder lasts until its end, and what was compacted is in its period's last.
      return minute + MINUTE_MILLIS > fromMillis && (compactedSince(key, minute) ?? minute) < untilMillis;
    }
    return storedAtMillis === undefined || (storedAtMillis >= fromMillis && storedAtMillis < untilMillis);
  };
  const pages = openObjectPages(storage, prefix);
  signal?.throwIfAborted();
  let page = await pages.next();
  while (page) {
    const inside = page.filter(isInside);
    if (inside.length) yield inside;
    const last = page.at(-1)?.key;
    signal?.throwIfAborted();
    page = await pages.next(last === undefined ? undefined : jumpFrom(last, fromMillis, untilMillis));
  }
}

/** A key to go on after, where what follows `key` lies outside. */
function jumpFrom(key: string, fromMillis: number, untilMillis: number): string | undefined {
  const minute = minuteOf(key);
  const folder = TIMED.exec(key)?.[1];
  if (minute === undefined || folder === undefined) return undefined;
  const at = (millis: number): string => `${folder}${folderAt('', millis).slice(1)}/`;
  if (minute >= untilMillis) {
    // What was compacted of the last hour, or day, that is asked for lies in its last minute.
    for (const millis of [PERIOD_MILLIS.hour, PERIOD_MILLIS.day]) {
      const last = Math.ceil(untilMillis / millis) * millis - MINUTE_MILLIS;
      if (minute === last) return undefined;
      if (minute < last) return at(last);
    }
    return folder + AFTER_TIME;
  }
  if (minute + MINUTE_MILLIS > fromMillis) return undefined;
  return at(fromMillis);
}
