/**
 * Sampling as `start()` has it: by chance as a trace begins; and a trace that lost may be kept all the same by what
 * becomes of it. The buffer holds it until then, and asks here.
 *
 * | kept, reason | when                                                                              |
 * | ------------ | --------------------------------------------------------------------------------- |
 * | `error`      | a span has ended with the status ERROR: at once                                   |
 * | `marked`     | the page marked it, or a rule of the server's came to match its first span: at once |
 * | `slow`       | it lasted longer than `keepSlowerThanMillis`                                      |
 * | `function`   | `keepTrace` said so                                                               |
 */
import type { Attributes, HrTime } from '@opentelemetry/api';
import type { Diagnostics } from '../diagnostics/diagnostics.js';
import type { LocalTrace as PublicTrace, SamplingOptions } from '../page-options.js';
import type { Judge, LocalTrace } from '../pipeline/local-trace.js';
import type { ReadableSpan } from '../pipeline/model.js';
import type { TraceBuffer } from '../pipeline/trace-buffer.js';
import type { Platform } from '../platform/platform.js';
import { untraced } from '../platform/untraced.js';
import type { Sampler } from '../sdk/tracer-provider.js';
import { isLocalRoot } from './attributes.js';
import { attributesOf, createSampler, PROBABILITY } from './sampler.js';
import { createPressure, type PressureLimits } from './sampling-pressure.js';
import { createRules, type RulesDeps } from './sampling-rules.js';

export interface SamplingDeps extends Omit<RulesDeps, 'platform'> {
  platform: Pick<Platform, 'now' | 'monotonic' | 'after'>;
  diagnostics: Pick<Diagnostics, 'totals' | 'stats' | 'guard' | 'gauge'>;
  buffer: TraceBuffer;
  /** Talks to the endpoint, whose rules are wanted though nothing is to be sent. */
  ask(): void;
  /** Undefined where sessions are not told apart. */
  sessionId?: (() => string) | undefined;
}

export interface Sampling {
  readonly sampler: Sampler;
  /** Keeps the span's trace. False when it was dropped already. */
  mark(span: Pick<ReadableSpan, 'spanContext'>): boolean;
  /** Takes the endpoint's rules, unchecked. */
  rules(rules: unknown): void;
}

type Reason = 'error' | 'marked' | 'slow' | 'function';

/** The page's own work goes before a question that can wait. */
const ASK_MILLIS = 1_000;
/** Traces that begin and end within the tenth of a second that the buffer takes to look at them, and more. */
const MAX_BEGUN = 1_000;
const SAMPLED = 1;
const ERROR_STATUS = 2;

const millisOf = ([seconds, nanos]: HrTime): number => seconds * 1e3 + nanos / 1e6;

export function createSampling(
  deps: SamplingDeps,
  options: SamplingOptions,
  limits: PressureLimits,
): Sampling {
  const { platform, diagnostics, buffer, sessionId } = deps;
  const { totals, guard } = diagnostics;
  const {
    sampleRate = 1,
    sampleBy = 'session',
    keepErrors = true,
    keepSlowerThanMillis = 0,
    keepTrace,
  } = options;
  const rules = createRules(deps);
  const pressure = createPressure({ monotonic: platform.monotonic, stats: diagnostics.stats }, limits);
  const admit = options.adaptiveSampling ? pressure : () => 1;
  /** By trace id, oldest first: the chance that each had as it began, and whether it was lost to pressure. */
  const begun = new Map<string, { chance: number; isCrowdedOut: boolean }>();
  /** A rule was won, and lost to pressure: it shall not win twice. */
  const crowdedOut = new WeakSet<LocalTrace>();

  const kept = (trace: LocalTrace, reason: Reason, attributes: Attributes = { [PROBABILITY]: 0 }): true => {
    totals.sampling.kept++;
    const first = trace.root ?? trace.held[0];
    // Not by setAttribute, which an ended span ignores; nobody has read this one yet.
    if (first) Object.assign(first.attributes, { 'spandrel.sampling.reason': reason }, attributes);
    return true;
  };

  const publicTraceOf = (trace: LocalTrace, hasError: boolean): PublicTrace => {
    const { traceId, root, held, open } = trace;
    const first = root ?? (held[0] as ReadableSpan);
    const end = open.size ? platform.now() : Math.max(...held.map(({ endTime }) => millisOf(endTime)));
    const starts = [first, ...held].map(({ startTime }) => millisOf(startTime));
    return {
      traceId,
      name: first.name,
      attributes: { ...first.attributes },
      durationMillis: end - Math.min(...starts),
      spanCount: held.length + open.size,
      error: hasError,
    };
  };

  const judge: Judge = {
    decide(trace, isOver) {
      const { traceId, root, open } = trace;
      const hasError =
        trace.error || (isOver && [...open].some(({ status }) => status.code === ERROR_STATUS));
      if (keepErrors && hasError) return kept(trace, 'error');
      if (begun.get(traceId)?.isCrowdedOut) crowdedOut.add(trace);
      begun.delete(traceId);
      const verdict = root && !crowdedOut.has(trace) ? rules.verdict(traceId, root.attributes) : undefined;
      if (verdict?.isWon) {
        const share = admit();
        if (share) return kept(trace, 'marked', attributesOf(verdict.probability * share, verdict.id));
        crowdedOut.add(trace);
      }
      if (!isOver) return undefined;
      const known = publicTraceOf(trace, hasError);
      if (keepSlowerThanMillis && known.durationMillis > keepSlowerThanMillis) return kept(trace, 'slow');
      if (keepTrace && guard(() => untraced(() => keepTrace(known)) === true)) return kept(trace, 'function');
      totals.sampling.dropped++;
      return false;
    },
    ended(span) {
      if (!isLocalRoot(span)) return;
      totals.sampling.kept++;
      const { traceId } = span.spanContext();
      const before = begun.get(traceId)?.chance;
      begun.delete(traceId);
      // Rules may match at the end what they did not at the beginning: then the chance was greater than was written.
      const now = before && rules.verdict(traceId, span.attributes)?.probability;
      if (!now || now <= before) return;
      const probability = (Number(span.attributes[PROBABILITY] ?? 1) * now) / before;
      if (probability < 1) span.attributes[PROBABILITY] = probability;
      else delete span.attributes[PROBABILITY];
    },
    crowdedOut() {
      totals.sampling.crowdedOut++;
      totals.sampling.dropped++;
    },
  };
  buffer.judge = judge;
  diagnostics.gauge(({ sampling }) => {
    sampling.rules = rules.count;
    sampling.badRules = rules.badCount;
  });

  const sampler = createSampler({
    sampleRate,
    ...(sampleBy === 'session' && sessionId ? { sessionId } : {}),
    isOn: () => totals.state === 'running' && totals.consent !== 'denied',
    verdict: rules.verdict,
    admit,
    decided(traceId, chance, isChosen, share) {
      begun.set(traceId, { chance, isCrowdedOut: isChosen && !share });
      const [oldest] = begun.keys();
      if (begun.size > MAX_BEGUN && oldest !== undefined) begun.delete(oldest);
      if (!share && rules.isDue()) platform.after(ASK_MILLIS, deps.ask);
    },
    recordsAll: true,
  });

  return {
    sampler,
    mark(span) {
      const isKept = guard(() => {
        const { traceId, traceFlags } = span.spanContext();
        return buffer.keep(traceId, (trace) => kept(trace, 'marked')) || (traceFlags & SAMPLED) > 0;
      });
      return isKept === true;
    },
    rules: rules.take,
  };
}
