import { check } from './option-check.js';

/** For how long traces are kept, by what is in them: milliseconds after their period has ended. */
export interface Retention {
  /** Traces with a span that failed, or in which something was thrown. Absent: for ever. */
  errorsMillis?: number;
  /** All others. */
  restMillis?: number;
}

const DAY_MILLIS = 86_400_000;
const UNITS: Record<string, number> = { h: 3_600_000, d: DAY_MILLIS, w: 7 * DAY_MILLIS };

/** Reads `errors 90d, rest 14d`; either may be missing. @throws {TypeError} */
export function parseRetention(text: unknown): Retention {
  const retention: Retention = {};
  for (const part of typeof text === 'string' ? text.split(',') : ['']) {
    const [, name, count, unit = ''] = /^\s*(errors|rest)\s+(\d{1,5})([hdw])\s*$/.exec(part) ?? [];
    const millis = Number(count) * (UNITS[unit] ?? 0);
    const field = name === 'errors' ? 'errorsMillis' : 'restMillis';
    if (!name || !(millis > 0) || field in retention) {
      return check.refuse('retain', text, '"errors 90d, rest 14d", or one of both, in hours, days or weeks');
    }
    retention[field] = millis;
  }
  return retention;
}

/** What is still kept of a period. */
export interface Kept {
  errors: boolean;
  rest: boolean;
  /** How many classes are not kept any more. */
  stage: number;
}

/** @param ageMillis since the period has ended; below 0 it has not. */
export function keptAt(ageMillis: number, { errorsMillis, restMillis }: Retention): Kept {
  const errors = errorsMillis === undefined || ageMillis < errorsMillis;
  const rest = restMillis === undefined || ageMillis < restMillis;
  return { errors, rest, stage: (errors ? 0 : 1) + (rest ? 0 : 1) };
}
