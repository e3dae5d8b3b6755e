import type { Span } from '@opentelemetry/api';
import type { Exporter } from './exporter.js';
import { checking, checkNames, isFunction, refuse } from './options.js';
import { checkPageOptions, SAMPLING_NAMES, type SamplingOptions } from './page-options.js';
import type { Sampler } from './sdk/tracer-provider.js';
import { createSampling, type Sampling } from './spa/sampling.js';

/** Options of {@link tailSampling}. */
export interface TailSamplingOptions extends SamplingOptions {
  /**
   * The session's id, as `sessionProcessor` has it: a session is then kept whole or not at all, unless `sampleBy` is
   * `trace`. Without it each trace is decided for itself.
   */
  sessionId?: () => string;
}

export interface TailSampling {
  /** For the provider. It records what it does not sample, and leaves the last word to the exporter's buffer. */
  readonly sampler: Sampler;
  /**
   * Keeps the trace of a span, whatever the rates say. False when it was dropped already: five minutes after its end at
   * the latest, or when more than 10,000 traces came after it.
   */
  mark(span: Span): boolean;
}

/** Lets `options` and the endpoint's rules decide what of an exporter's traces is kept. */
export function samplingOf(exporter: Exporter, { sessionId, ...options }: TailSamplingOptions): Sampling {
  const { platform, diagnostics, pipeline, place } = exporter;
  const sampling = createSampling(
    {
      ...{ platform, diagnostics, buffer: pipeline.buffer, ask: pipeline.ask, place, sessionId },
      notes: () => (diagnostics.totals.consent === 'granted' ? platform.notes : undefined),
    },
    options,
    pipeline.options,
  );
  exporter.onRules = sampling.rules;
  return sampling;
}

/**
 * The sampling of `start()` for an app that has its own provider: by chance as a trace begins, and by what becomes of
 * it. Its spans must come through a `TraceBatchProcessor` before this exporter: a stock processor drops what is not
 * sampled, so there nothing could be kept later.
 *
 * @throws {TypeError} naming the option, what it got and what it takes.
 * @example
 * const sampling = tailSampling(exporter, { sampleRate: 0.1, keepErrors: true });
 * new WebTracerProvider({ sampler: sampling.sampler, spanProcessors: [new TraceBatchProcessor(exporter)] });
 * sampling.mark(span); // whatever the rate says
 */
export function tailSampling(exporter: Exporter, options: TailSamplingOptions = {}): TailSampling {
  if (!exporter?.pipeline) refuse('exporter', exporter, 'a TraceExporter');
  checkNames('tailSampling()', options, [...SAMPLING_NAMES, 'sessionId']);
  checkPageOptions(options);
  checking(options)('sessionId', isFunction, 'a function');
  const { sampler, mark } = samplingOf(exporter, options);
  return { sampler, mark };
}
