import { createDiagnostics, type Diagnostics } from './diagnostics/diagnostics.js';
import type { Stats } from './diagnostics/stats.js';
import { BUFFER_NAMES, type BufferOptions, checkNames, checkNumbers, refuse } from './options.js';
import type { ReadableSpan, SpanGroup } from './pipeline/model.js';
import { createTraceBuffer, type OpenSpan, type TraceBuffer } from './pipeline/trace-buffer.js';
import { createBrowserPlatform } from './platform/browser.js';
import type { PageSignal, Platform, Stop } from './platform/platform.js';
import { type ExportResult, TraceExporter } from './trace-exporter.js';

/** Options of {@link TraceBatchProcessor}. */
export type TraceBatchProcessorOptions = BufferOptions;

/** What a span exporter must have; OpenTelemetry's `SpanExporter` fits. */
export interface SpanExporterLike {
  export(spans: ReadableSpan[], resultCallback: (result: ExportResult) => void): void;
  forceFlush?(): Promise<void>;
  shutdown(): Promise<void>;
}

/** Where finished traces go: a TraceExporter's pipeline, or a foreign exporter made to look like one. */
interface Sink {
  platform: Platform;
  diagnostics: Diagnostics;
  accept(groups: SpanGroup[]): Promise<unknown>;
  beforeLeave(drain: (signal: PageSignal) => void): Stop;
}

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
  readonly #exporter: SpanExporterLike;
  readonly #diagnostics: Diagnostics;
  readonly #buffer: TraceBuffer;
  readonly #stopLeaving: Stop;
  #shutdown: Promise<void> | undefined;

  /** @throws {TypeError} naming the option, what it got and what it takes. */
  constructor(exporter: SpanExporterLike, options: TraceBatchProcessorOptions = {}) {
    if (typeof exporter?.export !== 'function') refuse('exporter', exporter, 'a span exporter');
    checkNames('TraceBatchProcessor', options, BUFFER_NAMES);
    const checked = checkNumbers(options, BUFFER_NAMES);
    const { platform, diagnostics, accept, beforeLeave } =
      exporter instanceof TraceExporter ? ownSink(exporter) : foreignSink(exporter);
    const buffer = createTraceBuffer(
      {
        monotonic: platform.monotonic,
        after: platform.after,
        emit: accept,
        dropped: diagnostics.dropped,
      },
      checked,
    );
    this.#exporter = exporter;
    this.#diagnostics = diagnostics;
    this.#buffer = buffer;
    this.#stopLeaving = beforeLeave((signal) => {
      if (signal === 'leaving') buffer.interrupt();
      void buffer.flush();
    });
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
    try {
      if (span.spanContext().traceFlags & SAMPLED) this.#buffer.started(span);
    } catch (error) {
      this.#diagnostics.exception(error);
    }
  }

  onEnd(span: ReadableSpan): void {
    try {
      if (!(span.spanContext().traceFlags & SAMPLED) || this.#shutdown) return;
      this.#diagnostics.totals.spans.created++;
      this.#buffer.ended(span);
    } catch (error) {
      this.#diagnostics.exception(error);
    }
  }

  /** Hands on everything that ended, incomplete traces included, and flushes the exporter. Never rejects. */
  async forceFlush(): Promise<void> {
    try {
      await this.#buffer.flush();
      await this.#exporter.forceFlush?.();
    } catch (error) {
      this.#diagnostics.exception(error);
    }
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

  async #end(): Promise<void> {
    try {
      const flushed = this.#buffer.flush();
      this.#buffer.close();
      this.#stopLeaving();
      await flushed;
      await this.#exporter.shutdown();
    } catch (error) {
      this.#diagnostics.exception(error);
    }
  }
}

function ownSink({ platform, diagnostics, pipeline }: TraceExporter): Sink {
  return {
    platform,
    diagnostics,
    accept: pipeline.accept,
    beforeLeave: pipeline.beforeLeave,
  };
}

/** The exporter says success or failure for all it was given; there is nothing finer to count. */
function foreignSink(exporter: SpanExporterLike): Sink {
  const platform = createBrowserPlatform((error) => diagnostics.exception(error));
  const diagnostics = createDiagnostics(platform.now, platform.after);
  let exporting = 0;
  diagnostics.gauge((stats) => {
    stats.spans.waiting += exporting;
  });
  return {
    platform,
    diagnostics,
    beforeLeave: (drain) =>
      platform.onPage((signal) => {
        if (signal !== 'visible') drain(signal);
      }),
    accept(groups) {
      const spans = groups.flatMap((group) => group.spans);
      exporting += spans.length;
      return new Promise<void>((resolve) => {
        const { exceptions } = diagnostics.totals;
        let settled = false;
        const settle = (stored: boolean): void => {
          if (settled) return;
          settled = true;
          exporting -= spans.length;
          if (stored) diagnostics.totals.spans.stored += spans.length;
          else diagnostics.dropped('export-failed', spans.length);
          resolve();
        };
        diagnostics.guard(() => exporter.export(spans, (result) => settle(result.code === 0)));
        if (diagnostics.totals.exceptions > exceptions) settle(false);
      });
    },
  };
}
