/** Sampling as `start()` has it: by chance as a trace begins, by what became of it at its end. */
import type { Context, SpanContext } from '@opentelemetry/api';
import type { Diagnostics } from '../diagnostics/diagnostics.js';
import type { SamplingOptions } from '../page-options.js';
import type { OpenSpan, ReadableSpan } from '../pipeline/model.js';
import type { Pipeline } from '../pipeline/pipeline.js';
import type { Platform, Stop } from '../platform/platform.js';
import { untraced } from '../platform/untraced.js';
import type { Sampler } from '../sdk/tracer-provider.js';
import { createSampler } from './sampler.js';
import { createMarks } from './sampling-marks.js';
import { createPressure, type PressureLimits } from './sampling-pressure.js';
import { createRules, type RulesDeps } from './sampling-rules.js';
import { createTail } from './sampling-tail.js';

export interface SamplingDeps extends Omit<RulesDeps, 'platform'> {
  platform: Pick<Platform, 'now' | 'monotonic' | 'after'>;
  diagnostics: Pick<Diagnostics, 'totals' | 'stats' | 'guard' | 'gauge'>;
  pipeline: Pick<Pipeline, 'ask' | 'beforeSend'>;
  /** Calls its listener when the user has denied. */
  onDenied(listener: () => void): Stop;
  /** Where kept spans go. Made after this, so that it is drained after this. */
  processor(): {
    watch(span: OpenSpan): void;
    take(span: ReadableSpan): void;
    discard(span: OpenSpan): void;
    forceFlush(): Promise<void>;
    shutdown(): Promise<void>;
  };
  /** Undefined where sessions are not told apart. */
  sessionId?: (() => string) | undefined;
}

export interface Sampling {
  readonly sampler: Sampler;
  /** In front of the exporting processor, which it stands for. */
  readonly processor: {
    onStart(span: OpenSpan, context?: Context): void;
    onEnd(span: ReadableSpan): void;
    forceFlush(): Promise<void>;
    shutdown(): Promise<void>;
  };
  /** See `TraceBatchProcessor.discard`. */
  discard(span: OpenSpan): void;
  mark(span: { spanContext(): SpanContext }): boolean;
  /** Takes the endpoint's rules, unchecked. */
  rules(rules: unknown): void;
}

/** The page's own work goes before a question that can wait. */
const ASK_MILLIS = 1_000;

export function createSampling(
  { platform, diagnostics, pipeline, onDenied, processor, sessionId, ...rest }: SamplingDeps,
  options: SamplingOptions,
  limits: PressureLimits,
): Sampling {
  const { totals, guard } = diagnostics;
  const { sampleRate = 1, sampleBy = 'session', keepTrace } = options;
  const rules = createRules({ platform, ...rest });
  const marks = createMarks(platform.monotonic);
  const pressure = createPressure({ monotonic: platform.monotonic, stats: diagnostics.stats }, limits);
  const admit = options.adaptiveSampling ? pressure : () => 1;
  let latest: { traceId: string; chance: number; isCrowdedOut: boolean } | undefined;

  const tail = createTail(
    {
      ...{ platform, guard, marks, admit },
      totals: totals.sampling,
      verdict: rules.verdict,
      watch: (span) => processor().watch(span),
      take: (span) => processor().take(span),
      discard: (span) => processor().discard(span),
      begun: (traceId) => (latest?.traceId === traceId ? latest : undefined),
    },
    {
      keepErrors: options.keepErrors ?? true,
      keepSlowerThanMillis: options.keepSlowerThanMillis ?? 0,
      keepTrace: keepTrace && ((trace) => untraced(() => keepTrace(trace))),
      maxSpans: limits.maxBufferedSpans,
    },
  );
  const stops = [pipeline.beforeSend(tail.drain), onDenied(tail.forget)];
  diagnostics.gauge(({ sampling }) => {
    sampling.undecided = tail.size;
    sampling.marks = marks.count;
    sampling.forgotten = marks.forgotten;
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
      latest = { traceId, chance, isCrowdedOut: isChosen && !share };
      if (!share && rules.isDue()) platform.after(ASK_MILLIS, pipeline.ask);
    },
    recordsAll: true,
  });

  return {
    sampler,
    processor: {
      onStart: (span) => void guard(() => tail.onStart(span)),
      onEnd: (span) => void guard(() => tail.onEnd(span)),
      forceFlush: () => processor().forceFlush(),
      async shutdown() {
        guard(tail.close);
        for (const stop of stops) stop();
        await processor().shutdown();
      },
    },
    discard: tail.discard,
    mark: (span) => guard(() => tail.mark(span)) === true,
    rules: rules.take,
  };
}
