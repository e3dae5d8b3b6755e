/**
 * Which traces are kept at the edge: as the parent's was, and of those that begin here a share, by OpenTelemetry's
 * consistent probability sampling.
 *
 * @see https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
 */
import { type Attributes, isSpanContextValid, trace } from '@opentelemetry/api';
import type { Sampler } from '../sdk/tracer-provider.js';
import { attributesOf } from '../spa/sampler.js';
import { isKept, probabilityOf, randomnessOf, stateAfter, thresholdOf } from '../spa/sampling-threshold.js';

/** `SamplingDecision`, whose object would be shipped for two numbers. */
const NOT_RECORD = 0;
const RECORD_AND_SAMPLED = 2;

const SAMPLED = 1;

/**
 * @param sampleRate 0 to 1.
 * @param ofRoot what each span says that has no parent here.
 */
export function createEdgeSampler(sampleRate: number, ofRoot: Attributes): Sampler {
  const threshold = sampleRate ? thresholdOf(sampleRate) : undefined;

  return {
    shouldSample(context, traceId) {
      const parent = trace.getSpanContext(context);
      if (parent && isSpanContextValid(parent)) {
        const decision = parent.traceFlags & SAMPLED ? RECORD_AND_SAMPLED : NOT_RECORD;
        return { decision, attributes: parent.isRemote ? ofRoot : {} };
      }
      if (!threshold || !isKept(randomnessOf(traceId) ?? '', threshold)) return { decision: NOT_RECORD };
      const traceState = stateAfter(undefined, threshold, undefined);
      return {
        decision: RECORD_AND_SAMPLED,
        attributes: { ...ofRoot, ...attributesOf(probabilityOf(threshold)) },
        ...(traceState && { traceState }),
      };
    },
    toString: () => `SpandrelEdgeSampler{${sampleRate}}`,
  };
}
