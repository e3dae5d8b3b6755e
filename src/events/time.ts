/** Times: epoch milliseconds inside, with fractions; OpenTelemetry's pairs on spans. */
import type { HrTime } from '@opentelemetry/api';

/** What a caller may give as a time: epoch milliseconds, with fractions, or a Date. */
export type EventTime = number | Date;

/** OTLP's nanoseconds end in the year 2554. */
const MAX_MILLIS = 18_446_744_073_000;

/** Epoch milliseconds, or undefined when it is no instant from 1970 to 2554. Never throws. */
export function millisOf(at: unknown): number | undefined {
  let millis = at;
  if (typeof at === 'object' && at !== null) {
    try {
      // Not `instanceof`: dates of other frames are dates.
      millis = Date.prototype.getTime.call(at as Date);
    } catch {
      return undefined;
    }
  }
  return typeof millis === 'number' && millis >= 0 && millis < MAX_MILLIS ? millis : undefined;
}

/** Seconds, and 0 to 999,999,999 ns. */
export function hrTimeOf(millis: number): HrTime {
  const seconds = Math.floor(millis / 1_000);
  const nanos = Math.round((millis - seconds * 1_000) * 1e6);
  return nanos < 1e9 ? [seconds, nanos] : [seconds + 1, nanos - 1e9];
}

/** What lies between; nothing when `end` is the earlier. */
export function durationOf(start: HrTime, end: HrTime): HrTime {
  const nanos = end[1] - start[1];
  const seconds = end[0] - start[0] - (nanos < 0 ? 1 : 0);
  return seconds < 0 ? [0, 0] : [seconds, nanos < 0 ? nanos + 1e9 : nanos];
}
