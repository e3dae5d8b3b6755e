import type { Exporter } from './exporter.js';
import type { LogExporter, ReadableLogRecord } from './log-exporter.js';
import { BUFFER_NAMES, type BufferOptions, checkNames, checkNumbers, refuse } from './options.js';
import { LogItem } from './pipeline/encode-log.js';

/**
 * An OpenTelemetry `LogRecordProcessor` in front of a {@link LogExporter}: records wait for company, and what a page has
 * said goes out as it leaves, in the same task. A stock processor hands over its last batch later than that.
 *
 * @example
 * const processor = new LogBatchProcessor(new LogExporter({ destination: bucket({ endpoint: '/spandrel' }) }));
 * new LoggerProvider({ processors: [processor] });
 * @see https://opentelemetry.io/docs/specs/otel/logs/sdk/#logrecordprocessor
 */
export class LogBatchProcessor {
  readonly #exporter: Exporter;

  /** @throws {TypeError} naming the option, what it got and what it takes. */
  constructor(exporter: LogExporter, options: BufferOptions = {}) {
    if (!exporter?.exporter?.pipeline) refuse('exporter', exporter, 'a LogExporter');
    checkNames('LogBatchProcessor', options, BUFFER_NAMES);
    Object.assign(exporter.exporter.pipeline.options, checkNumbers(options, BUFFER_NAMES));
    this.#exporter = exporter.exporter;
  }

  /** Never throws. */
  onEmit(record: ReadableLogRecord, _context?: unknown): void {
    const { diagnostics, pipeline } = this.#exporter;
    diagnostics.guard(() => pipeline.ended(new LogItem(record) as never));
  }

  /** Sends all that waits. Never rejects. */
  forceFlush(): Promise<void> {
    return this.#exporter.forceFlush();
  }

  /** Flushes and leaves nothing behind. Never rejects. */
  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }
}
