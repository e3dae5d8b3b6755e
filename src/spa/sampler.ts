/**
 * Which traces are sampled, decided as they begin.
 *
 * The first span of a trace here decides for those below it. A parent in another process has no say by its sampled
 * flag, which anybody can set, but its randomness is used: who keeps a larger share keeps all that we keep.
 */
import { type Attributes, type Context, isSpanContextValid, trace } from '@opentelemetry/api';
import { refuse } from '../options.js';
import { isShare } from '../page-options.js';
import type { Sampler, SamplingResult } from '../sdk/tracer-provider.js';
import type { Verdict } from './sampling-rules.js';
import {
  explicitRandomness,
  isKept,
  probabilityOf,
  randomnessOf,
  stateAfter,
  thresholdOf,
} from './sampling-threshold.js';

/** Options of {@link spandrelSampler}. */
export interface SamplerOptions {
  /** Share of traces, or of sessions, that are kept, 0 to 1. Default 1. */
  sampleRate?: number;
  /**
   * The session's id, which must end in 14 random hexadecimal digits as a UUID does: a session is then kept whole or
   * not at all. Without it each trace is decided for itself.
   */
  sessionId?: () => string;
}

export interface SamplerDeps extends SamplerOptions {
  /** Whether anything is collected. */
  isOn(): boolean;
  /** The server's rules, which take the place of the rate: undefined while there are none. */
  verdict(traceId: string, attributes: Attributes): Verdict | undefined;
  /** Asked of each trace that is to be kept: the share that may be, as things are; 0 when this one may not. */
  admit(): number;
  /** Hears of each decision: the chance that there was, whether it was won, and then what {@link admit} said. */
  decided(traceId: string, chance: number, isChosen: boolean, share: number): void;
  /** Whether what is not sampled is recorded all the same. */
  recordsAll: boolean;
}

export const PROBABILITY = 'spandrel.sampling.probability';
export const RULE_ID = 'spandrel.sampling.rule_id';

/** `SamplingDecision`, whose object would be shipped for three numbers. */
const NOT_RECORD = 0;
const RECORD = 1;
const RECORD_AND_SAMPLED = 2;

const SAMPLED = 1;

/** What a decision writes on the first span. */
export const attributesOf = (probability: number, ruleId?: string | number): Attributes => ({
  ...(probability < 1 ? { [PROBABILITY]: probability } : {}),
  ...(ruleId === undefined ? {} : { [RULE_ID]: ruleId }),
});

export function createSampler(deps: SamplerDeps): Sampler {
  const { sampleRate = 1, sessionId, isOn, verdict, admit, decided, recordsAll } = deps;
  const threshold = sampleRate ? thresholdOf(sampleRate) : undefined;
  const unsampled = recordsAll ? RECORD : NOT_RECORD;

  return {
    shouldSample(context: Context, traceId: string, _name, _kind, attributes): SamplingResult {
      if (!isOn()) return { decision: NOT_RECORD };
      const known = trace.getSpanContext(context);
      const parent = known && isSpanContextValid(known) ? known : undefined;
      if (parent && !parent.isRemote) {
        return { decision: parent.traceFlags & SAMPLED ? RECORD_AND_SAMPLED : unsampled };
      }
      const state = parent?.traceState;
      const ruled = verdict(traceId, attributes);
      // Only who begins a trace may name another randomness than its id.
      const ofSession = sampleRate < 1 && !ruled && !parent ? randomnessOf(sessionId?.() ?? '') : undefined;
      const randomness = explicitRandomness(state) ?? ofSession ?? randomnessOf(traceId) ?? '';
      const isChosen = ruled ? ruled.isWon : threshold !== undefined && isKept(randomness, threshold);
      const chance = ruled?.probability ?? (threshold ? probabilityOf(threshold) : 0);
      const share = isChosen ? admit() : 0;
      decided(traceId, chance, isChosen, share);
      if (!share) return { decision: unsampled, ...stated(stateAfter(state, undefined, ofSession)) };
      return {
        decision: RECORD_AND_SAMPLED,
        attributes: attributesOf(chance * share, ruled?.id),
        ...stated(stateAfter(state, ruled || share < 1 ? undefined : threshold, ofSession)),
      };
    },
    toString: () => `SpandrelSampler{${sampleRate}}`,
  };
}

const stated = (traceState: ReturnType<typeof stateAfter>): Pick<SamplingResult, 'traceState'> =>
  traceState ? { traceState } : {};

/**
 * An OpenTelemetry `Sampler` by OpenTelemetry's consistent probability sampling, for an app that has its own provider.
 * What is not sampled is not recorded.
 *
 * @throws {TypeError} when the rate is none.
 * @see https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
 */
export function spandrelSampler(options: SamplerOptions = {}): Sampler {
  const { sampleRate = 1 } = options;
  if (!isShare(sampleRate)) refuse('sampleRate', sampleRate, 'a number from 0 to 1');
  return createSampler({
    ...options,
    isOn: () => true,
    verdict: () => undefined,
    admit: () => 1,
    decided() {},
    recordsAll: false,
  });
}
