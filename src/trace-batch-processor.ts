import type { Diagnostics } from './diagnostics/diagnostics.js';
import type { Stats } from './diagnostics/stats.js';
import type { Exporter } from './exporter.js';
import { BUFFER_NAMES, type BufferOptions, checkNames, checkNumbers, refuse } from './options.js';
import type { Consent } from './page-options.js';
import type { OpenSpan, ReadableSpan } from './pipeline/model.js';
import { createTraceBuffer, type TraceBuffer } from './pipeline/trace-buffer.js';
import type { Stop } from './platform/platform.js';

/** Options of {@link TraceBatchProcessor}. */
export type TraceBatchProcessorOptions = BufferOptions;

const SAMPLED = 1;

/**
 * An OpenTelemetry `SpanProcessor` that hands on whole traces. Stage 1 of 8.
 *
 * A trace is complete when its local root has ended, nothing of it is open, and 500 ms have passed. Long traces go
 * in parts. As the page hides, all that ended goes; as it leaves for good, open spans are ended as well, marked
 * `spandrel.interrupted`. Spans that are not sampled are ignored.
 *
 * @see https://opentelemetry.io/docs/specs/otel/trace/sdk/#span-processor
 */
export class TraceBatchProcessor {
  readonly #exporter: Exporter;
  readonly #diagnostics: Diagnostics;
  readonly #buffer: TraceBuffer;
  readonly #stopDraining: Stop;
  /** Spans that were open while the user had denied: whatever the user says later, these are not collected. */
  #refused: WeakSet<object> | undefined;
  #shutdown: Promise<void> | undefined;

  /**
   * @param exporter where whole traces go.
   * @throws {TypeError} naming the option, what it got and what it takes.
   */
  constructor(exporter: Exporter, options: TraceBatchProcessorOptions = {}) {
    if (!exporter?.pipeline) {
      refuse('exporter', exporter, 'a TraceExporter; others take BatchSpanProcessor');
    }
    checkNames('TraceBatchProcessor', options, BUFFER_NAMES);
    const { platform, diagnostics, pipeline, gate } = exporter;
    const checked = checkNumbers(options, BUFFER_NAMES);
    gate.maxHeldSpans = checked.maxBufferedSpans;
    const buffer = createTraceBuffer(
      {
        monotonic: platform.monotonic,
        after: platform.after,
        emit: pipeline.accept,
        dropped: diagnostics.dropped,
        forget: pipeline.lost,
        guard: diagnostics.guard,
      },
      checked,
    );
    this.#exporter = exporter;
    this.#diagnostics = diagnostics;
    this.#buffer = buffer;
    const stopDraining = pipeline.beforeSend((isOver) => {
      if (isOver) buffer.interrupt();
      buffer.flush();
    });
    const stopDenied = gate.onDenied(() => {
      for (const span of buffer.forgetOpen()) this.#refuse(span);
    });
    this.#stopDraining = () => {
      stopDraining();
      stopDenied();
    };
    diagnostics.gauge((stats) => {
      stats.spans.waiting += buffer.spanCount;
      stats.buffer = {
        spans: buffer.spanCount,
        open: buffer.openCount,
        highWater: buffer.highWater,
      };
    });
  }

  onStart(span: OpenSpan, _parentContext?: unknown): void {
    this.#diagnostics.guard(() => {
      if (span.spanContext().traceFlags & SAMPLED) this.watch(span);
    });
  }

  onEnd(span: ReadableSpan): void {
    this.#diagnostics.guard(() => {
      if (span.spanContext().traceFlags & SAMPLED) this.take(span);
    });
  }

  /** A span that has started and is kept, sampled or not. Not part of the public promise. */
  watch(span: OpenSpan): void {
    this.#diagnostics.guard(() => {
      if (this.#diagnostics.totals.consent === 'denied') this.#refuse(span);
      else this.#buffer.started(span);
    });
  }

  /** A span that has ended and is kept, sampled or not. Not part of the public promise. */
  take(span: ReadableSpan): void {
    try {
      if (this.#shutdown) return;
      const { totals, dropped } = this.#diagnostics;
      if (totals.consent === 'denied' || this.#refused?.delete(span)) return;
      totals.spans.created++;
      if (totals.state === 'paused') dropped('paused', 1);
      else {
        this.#buffer.ended(span);
        this.#exporter.pipeline.ended(span);
      }
    } catch (error) {
      this.#diagnostics.exception(error);
    }
  }

  /** A span that was started and shall not be: it is forgotten, unless it has ended. Not part of the public promise. */
  discard(span: OpenSpan): void {
    this.#diagnostics.guard(() => this.#buffer.discard(span));
  }

  /** What the user has said. */
  get consent(): Consent {
    return this.#diagnostics.totals.consent;
  }

  /** Hands on everything that ended, incomplete traces included, and flushes the exporter. Never rejects. */
  forceFlush(): Promise<void> {
    return this.#exporter.forceFlush();
  }

  /** Flushes, shuts the exporter down and leaves nothing behind. Never rejects. */
  shutdown(): Promise<void> {
    this.#shutdown ??= this.#end();
    return this.#shutdown;
  }

  /** Everything that can be known of this processor and its exporter, now. */
  stats(): Stats {
    return this.#diagnostics.stats();
  }

  #refuse(span: object): void {
    this.#refused ??= new WeakSet();
    this.#refused.add(span);
  }

  async #end(): Promise<void> {
    try {
      this.#buffer.flush();
      this.#buffer.close();
      this.#stopDraining();
      await this.#exporter.shutdown();
    } catch (error) {
      this.#diagnostics.exception(error);
    }
  }
}
