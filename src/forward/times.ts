/** Times that no clock can have shown: clients' clocks are set wrong, and some clients lie. */

import type { Fault } from '../wire/inflate.js';
import {
  type LogRecordJson,
  type NanosJson,
  type RequestJson,
  resourcesOf,
  SIGNALS,
  type SpanJson,
  scopesOf,
} from '../wire/otlp-json.js';
import { TIME_CLAMPED } from './stamp.js';

/** What becomes of a span with such times: brought near, its object quarantined, or nothing. */
export type BadTimes = 'clamp' | 'quarantine' | 'keep';

/** The first of January 2000, when nothing of this was thought of. */
export const EARLIEST_MILLIS = 946_684_800_000;
/** Clocks go ahead by hours where a time zone is mistaken. */
export const MAX_AHEAD_MILLIS = 86_400_000;

const NANOS_PER_MILLI = 1_000_000n;

export interface TimesDeps {
  /** When the object was received; else what is believed to be now. */
  receivedAtMillis: number;
  nowMillis: number;
}

/** Where spans with bad times are, as a path, if there are any. */
export function findBadTimes(request: RequestJson, deps: TimesDeps): Fault<'not-otlp'> | undefined {
  const isSane = saneBy(deps);
  const { resources, scopes, items: name } = SIGNALS[request.resourceLogs ? 'logs' : 'traces'];
  for (const [r, ofResource] of resourcesOf(request).entries()) {
    for (const [s, ofScope] of scopesOf(ofResource).entries()) {
      const { spans = [], logRecords = [] } = ofScope;
      const bad = Math.max(
        spans.findIndex((span) => !isSound(span, isSane)),
        logRecords.findIndex((record) => !isSoundRecord(record, isSane)),
      );
      if (bad < 0) continue;
      const message = `$.${resources}[${r}].${scopes}[${s}].${name}[${bad}] has times that no clock shows`;
      return { reason: 'not-otlp', message };
    }
  }
  return undefined;
}

/**
 * Brings times between the year 2000 and a day from now, marks the spans, and leaves the rest alone.
 *
 * Spans of which neither time is good are moved together, as far as it takes the last of them to the instant when their
 * object was received, since an object has one clock. Else the other time stands in. No span ends before it starts.
 */
export function clampTimes(request: RequestJson, deps: TimesDeps): void {
  const isSane = saneBy(deps);
  const bad: SpanJson[] = [];
  for (const ofScope of resourcesOf(request).flatMap(scopesOf)) {
    for (const span of ofScope.spans ?? []) if (!isSound(span, isSane)) bad.push(span);
    for (const record of ofScope.logRecords ?? []) clampRecord(record, isSane, deps);
  }
  let latest = 0n;
  for (const { startTimeUnixNano, endTimeUnixNano } of bad) {
    const end = nanosOf(endTimeUnixNano);
    if (!isSane(startTimeUnixNano) && !isSane(endTimeUnixNano) && end > latest) latest = end;
  }
  const shift = BigInt(Math.floor(deps.receivedAtMillis)) * NANOS_PER_MILLI - latest;
  const shifted = (nanos: NanosJson | undefined): string => {
    const there = nanosOf(nanos) + shift;
    return String(there > 0n ? there : 0n);
  };
  const nearest = (nanos: NanosJson | undefined): NanosJson => {
    if (isSane(nanos)) return nanos as NanosJson;
    const millis = Number(nanosOf(nanos)) / 1e6 < EARLIEST_MILLIS ? EARLIEST_MILLIS : deps.receivedAtMillis;
    return String(BigInt(Math.floor(millis)) * NANOS_PER_MILLI);
  };
  for (const span of bad) {
    const { startTimeUnixNano: start, endTimeUnixNano: end } = span;
    const newStart = isSane(start) ? start : isSane(end) ? end : nearest(shifted(start));
    const newEnd = isSane(end) ? end : isSane(start) ? start : nearest(shifted(end));
    span.startTimeUnixNano = newStart;
    span.endTimeUnixNano = isOrdered(newStart, newEnd) ? newEnd : newStart;
    const isMoved = !isSane(start) && !isSane(end);
    for (const event of span.events ?? []) {
      if (isSane(event.timeUnixNano)) continue;
      const there = shifted(event.timeUnixNano);
      event.timeUnixNano = isMoved && isSane(there) ? there : newStart;
    }
    span.attributes = [...(span.attributes ?? []), { key: TIME_CLAMPED, value: { boolValue: true } }];
  }
}

/** A record's times are of two clocks: a bad one gives way to the other, or to when the object was received. */
function clampRecord(record: LogRecordJson, isSane: Sane, { receivedAtMillis }: TimesDeps): void {
  if (isSoundRecord(record, isSane)) return;
  const received = String(BigInt(Math.floor(receivedAtMillis)) * NANOS_PER_MILLI);
  const good = [record.timeUnixNano, record.observedTimeUnixNano].find(isSane) ?? received;
  for (const name of ['timeUnixNano', 'observedTimeUnixNano'] as const)
    if (isTold(record[name]) && !isSane(record[name])) record[name] = good;
  record.attributes = [...(record.attributes ?? []), { key: TIME_CLAMPED, value: { boolValue: true } }];
}

type Sane = (nanos: NanosJson | undefined) => nanos is NanosJson;

/** To a microsecond, as far as doubles go here; that is all it takes. */
function saneBy({ nowMillis }: TimesDeps): Sane {
  const latest = (nowMillis + MAX_AHEAD_MILLIS) * 1e6;
  return (nanos): nanos is NanosJson => {
    const number = Number(nanos);
    return number >= EARLIEST_MILLIS * 1e6 && number <= latest;
  };
}

function isSound({ startTimeUnixNano, endTimeUnixNano, events }: SpanJson, isSane: Sane): boolean {
  return (
    isSane(startTimeUnixNano) &&
    isSane(endTimeUnixNano) &&
    isOrdered(startTimeUnixNano, endTimeUnixNano) &&
    (!events || events.every(({ timeUnixNano }) => isSane(timeUnixNano)))
  );
}

/** 0 says that the time is not known. */
const isTold = (nanos: NanosJson | undefined): boolean => Number(nanos ?? 0) !== 0;

function isSoundRecord({ timeUnixNano, observedTimeUnixNano }: LogRecordJson, isSane: Sane): boolean {
  return [timeUnixNano, observedTimeUnixNano].every((nanos) => !isTold(nanos) || isSane(nanos));
}

const nanosOf = (nanos: NanosJson = 0): bigint => BigInt(nanos);

/** Those that are equal as doubles are equal enough, unless they are not in order by their digits. */
function isOrdered(start: NanosJson, end: NanosJson): boolean {
  const [first, last] = [Number(start), Number(end)];
  return first < last || (first === last && nanosOf(start) <= nanosOf(end));
}
