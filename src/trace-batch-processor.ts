import type { Stats } from './diagnostics/stats.js';
import type { Exporter } from './exporter.js';
import { BUFFER_NAMES, type BufferOptions, checkNames, checkNumbers, refuse } from './options.js';
import type { Consent } from './page-options.js';
import type { OpenSpan, ReadableSpan } from './pipeline/model.js';

/** Options of {@link TraceBatchProcessor}. */
export type TraceBatchProcessorOptions = BufferOptions;

const SAMPLED = 1;

/**
 * An OpenTelemetry `SpanProcessor` that hands on whole traces.
 *
 * A trace is complete when its local root has ended, nothing of it is open, and 500 ms have passed. Long traces go
 * in parts. As the page hides, all that ended goes; as it leaves for good, open spans are ended as well, marked
 * `spandrel.interrupted`. Spans that are not sampled are ignored.
 *
 * @see https://opentelemetry.io/docs/specs/otel/trace/sdk/#span-processor
 */
export class TraceBatchProcessor {
  readonly #exporter: Exporter;
  #shutdown: Promise<void> | undefined;

  /**
   * @param exporter where whole traces go.
   * @throws {TypeError} naming the option, what it got and what it takes.
   */
  constructor(exporter: Exporter, options: TraceBatchProcessorOptions = {}) {
    if (!exporter?.pipeline) refuse('exporter', exporter, 'a TraceExporter');
    checkNames('TraceBatchProcessor', options, BUFFER_NAMES);
    Object.assign(exporter.pipeline.options, checkNumbers(options, BUFFER_NAMES));
    this.#exporter = exporter;
  }

  onStart(span: OpenSpan, _parentContext?: unknown): void {
    const { diagnostics, pipeline } = this.#exporter;
    diagnostics.guard(() => {
      if (span.spanContext().traceFlags & SAMPLED || pipeline.buffer.judge) pipeline.started(span);
    });
  }

  onEnd(span: ReadableSpan): void {
    const { diagnostics, pipeline } = this.#exporter;
    diagnostics.guard(() => {
      if (span.spanContext().traceFlags & SAMPLED || pipeline.buffer.judge) pipeline.ended(span);
    });
  }

  /** A span that was started and shall not be: it is forgotten, unless it has ended. Not part of the public promise. */
  discard(span: OpenSpan): void {
    const { diagnostics, pipeline } = this.#exporter;
    diagnostics.guard(() => pipeline.discard(span));
  }

  /** What the user has said. */
  get consent(): Consent {
    return this.#exporter.diagnostics.totals.consent;
  }

  /** Hands on everything that ended, incomplete traces included, and flushes the exporter. Never rejects. */
  forceFlush(): Promise<void> {
    return this.#exporter.forceFlush();
  }

  /** Flushes, shuts the exporter down and leaves nothing behind. Never rejects. */
  shutdown(): Promise<void> {
    this.#shutdown ??= this.#exporter.shutdown().catch(this.#exporter.diagnostics.exception);
    return this.#shutdown;
  }

  /** Everything that can be known of this processor and its exporter, now. */
  stats(): Stats {
    return this.#exporter.stats();
  }
}
