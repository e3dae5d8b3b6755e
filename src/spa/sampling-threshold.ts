/**
 * OpenTelemetry's consistent probability sampling: 56 bits of randomness against a threshold of 56 bits, both as
 * hexadecimal text, which compares as the numbers do.
 *
 * @see https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
 */
import { createTraceState, type TraceState } from '@opentelemetry/api';

/** Recommended for SDKs: a share is then off by 1 in 30,000 at most. */
const PRECISION = 4;
/** No list of values may be longer. */
const MAX_CHARS = 256;

/**
 * A rate above 0 as the threshold that is sent: 1 to 12 hexadecimal digits, no trailing zeros.
 *
 * The shift by `log2` keeps the precision where the threshold begins with `f`s.
 */
export function thresholdOf(rate: number): string {
  const leading = Math.floor((Math.floor(Math.log2(rate)) + 1) / -4);
  const digits = Math.max(1, Math.min(12, PRECISION + leading));
  const scaled = Math.min(Math.round((1 - rate) * 16 ** digits), 16 ** digits - 1);
  return scaled.toString(16).padStart(digits, '0').replace(/0+$/, '') || '0';
}

/** The share that a threshold keeps. */
export const probabilityOf = (threshold: string): number =>
  1 - Number.parseInt(threshold, 16) / 16 ** threshold.length;

/** Trailing zeros need not be there: a text is greater than what it begins with. */
export const isKept = (randomness: string, threshold: string): boolean => randomness >= threshold;

/** The last 56 bits of an id, which must be random: 14 digits, or undefined when it does not end in as many. */
export const randomnessOf = (id: string): string | undefined =>
  /[\da-f]{14}$/.exec(id.replaceAll('-', '').toLowerCase())?.[0];

const valuesOf = (state: TraceState | undefined): string[] => state?.get('ot')?.split(';') ?? [];

/** The randomness that a trace state names for its trace, if it is any. */
export const explicitRandomness = (state: TraceState | undefined): string | undefined =>
  valuesOf(state)
    .find((value) => /^rv:[\da-f]{14}$/i.test(value))
    ?.slice(3)
    .toLowerCase();

/**
 * The trace state of a span after a decision: what others have put there stays.
 *
 * @param threshold undefined when the span is not sampled, or by chances that no threshold can tell.
 * @param randomness what the trace's services are to go by, unless its state names one or the trace's id is to do.
 * @returns undefined when there is nothing to say.
 */
export function stateAfter(
  state: TraceState | undefined,
  threshold: string | undefined,
  randomness: string | undefined,
): TraceState | undefined {
  // As the SDK's own sampler does where all is kept: each request would pay for the words.
  if (!state && !randomness && (threshold ?? '0') === '0') return undefined;
  const named = explicitRandomness(state) ?? randomness;
  const values = [
    ...(threshold === undefined ? [] : [`th:${threshold}`]),
    ...(named === undefined ? [] : [`rv:${named}`]),
    ...valuesOf(state).filter((value) => value && !/^(th|rv):/.test(value)),
  ].join(';');
  const changed = state ?? createTraceState();
  // What cannot be said in full is not said by half: without a threshold the share is unknown.
  return values && values.length <= MAX_CHARS ? changed.set('ot', values) : changed.unset('ot');
}
