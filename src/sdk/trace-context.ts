/**
 * `traceparent` and `tracestate`, strictly: what the standard calls invalid is not there.
 *
 * @see https://www.w3.org/TR/trace-context-2/
 */
import { isSpanContextValid, type SpanContext, type TraceState } from '@opentelemetry/api';
import { traceStateOf } from './trace-state.js';

/** Version, trace id, parent id, flags, and what later versions may add. A comma joins headers that are several. */
const TRACEPARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-[^,]*)?$/;

const SAMPLED = 1;
/** Says that a trace's id is random; whoever continues the trace passes it on. */
export const RANDOM = 2;

/** @returns undefined for what the standard calls invalid. */
export function parseTraceparent(text: string | null | undefined): SpanContext | undefined {
  const [, version, traceId = '', spanId = '', flags = '', more] = TRACEPARENT.exec(text?.trim() ?? '') ?? [];
  if (version === 'ff' || (version === '00' && more)) return undefined;
  // Of a later version's flags only `sampled` is known.
  const known = version === '00' ? SAMPLED | RANDOM : SAMPLED;
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & known, isRemote: true };
  return isSpanContextValid(context) ? context : undefined;
}

/** The header that says where a request comes from. The context must be valid. */
export const traceparentOf = ({ traceId, spanId, traceFlags }: SpanContext): string =>
  `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;

const MEMBER =
  /^([a-z\d][a-z\d_\-*/@]{0,255})=([\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e])$/;
const MAX_MEMBERS = 32;
/** What every vendor passes on at least, and the members that go first where it is more. */
const MAX_CHARS = 512;
const LONG_MEMBER_CHARS = 128;

/**
 * The trace state of a `tracestate` header, several of which are joined by commas. `createTraceState` of the API reads
 * what is left of an invalid one, and knows fewer keys.
 *
 * @returns undefined when it is empty or invalid as a whole. Of a key that is there twice the first, which is the
 *   latest, counts. Whole members are left out where it is longer than 512 characters: long ones first, then the last.
 */
export function parseTracestate(text: string | null | undefined): TraceState | undefined {
  // Neither keys nor values have others, and `trim` knows other white space than the standard.
  if (!text || /[^\t\x20-\x7e]/.test(text)) return undefined;
  const members = text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
  if (members.length > MAX_MEMBERS) return undefined;
  const entries = new Map<string, string>();
  for (const member of members) {
    const [, key, value] = MEMBER.exec(member) ?? [];
    if (!key || !value) return undefined;
    if (!entries.has(key)) entries.set(key, value);
  }
  const charsOf = ([key, value]: [string, string]): number => key.length + value.length + 1;
  let chars = entries.size - 1;
  for (const entry of entries) chars += charsOf(entry);
  const byLength = [...entries].reverse();
  const order = [
    ...byLength.filter((entry) => charsOf(entry) > LONG_MEMBER_CHARS),
    ...byLength.filter((entry) => charsOf(entry) <= LONG_MEMBER_CHARS),
  ];
  for (const entry of order) {
    if (chars <= MAX_CHARS) break;
    entries.delete(entry[0]);
    chars -= charsOf(entry) + 1;
  }
  return entries.size ? traceStateOf(entries) : undefined;
}
