/** Times that no clock can have shown: clients' clocks are set wrong, and some clients lie. */
import type { Fault } from './inflate.js';
import type { NanosJson, RequestJson, SpanJson } from './otlp-json.js';
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
  for (const [r, { scopeSpans = [] }] of request.resourceSpans.entries()) {
    for (const [s, { spans = [] }] of scopeSpans.entries()) {
      const bad = spans.findIndex((span) => !isSound(span, isSane));
      if (bad < 0) continue;
      const message = `$.resourceSpans[${r}].scopeSpans[${s}].spans[${bad}] has times that no clock shows`;
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
  for (const { scopeSpans = [] } of request.resourceSpans) {
    for (const { spans = [] } of scopeSpans) {
      for (const span of spans) if (!isSound(span, isSane)) bad.push(span);
    }
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

const nanosOf = (nanos: NanosJson = 0): bigint => BigInt(nanos);

/** Those that are equal as doubles are equal enough, unless they are not in order by their digits. */
function isOrdered(start: NanosJson, end: NanosJson): boolean {
  const [first, last] = [Number(start), Number(end)];
  return first < last || (first === last && nanosOf(start) <= nanosOf(end));
}
