import type { HttpAnswer } from '../http.js';

/** Stores refuse signatures some 15 minutes off; whatever is over this needs mending before it gets there. */
export const SKEW_WARN_MILLIS = 60_000;
export const SKEW_FAIL_MILLIS = 600_000;

/** How far the clock behind `Date` is ahead of this machine's, milliseconds; 0 within what the way may take. */
export function skewOf({ headers, atMillis, millis }: HttpAnswer): number | undefined {
  const date = Date.parse(headers.date ?? '');
  if (Number.isNaN(date)) return undefined;
  // Date has whole seconds, and was written somewhere between question and answer.
  const [earliest, latest] = [date - millis, date + 1_000 + millis];
  if (atMillis >= earliest && atMillis <= latest) return 0;
  return atMillis < earliest ? earliest - atMillis : latest - atMillis;
}
