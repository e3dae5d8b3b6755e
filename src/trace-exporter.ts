import { Exporter, type TraceExporterOptions } from './exporter.js';
import { openDelivery } from './late.js';
import { createBrowserPlatform } from './platform/browser.js';
import type { Platform } from './platform/platform.js';
import { unfit } from './unfit.js';

export type { ExportResult, TraceExporterOptions } from './exporter.js';

/**
 * An OpenTelemetry `SpanExporter` that stores traces as objects in a bucket.
 *
 * Put {@link TraceBatchProcessor} in front of it. It works behind the stock `BatchSpanProcessor` too: it groups
 * whatever it is given by trace. When the page hides or leaves, everything goes out in the same task.
 *
 * @example
 * new WebTracerProvider({
 *   spanProcessors: [new TraceBatchProcessor(new TraceExporter({ destination: bucket({ endpoint: '/spandrel' }) }))],
 * });
 * @see https://opentelemetry.io/docs/specs/otel/trace/sdk/#span-exporter
 */
export class TraceExporter extends Exporter {
  /**
   * @param platform the world; a browser's, or what there is of it, unless a test brings its own.
   * @throws {TypeError} naming the option, what it got and what it takes.
   */
  constructor(options: TraceExporterOptions, platform?: Platform) {
    super(options, {
      platform: (onException) => platform ?? createBrowserPlatform(onException),
      openDelivery: async (host) => openDelivery(host),
      unfit,
    });
  }
}
