import type { Destination } from './destinations/destination.js';
import { Exporter, type TraceExporterOptions } from './exporter.js';
import { createCompressor, gzipNow } from './pipeline/compress.js';
import { openOutbox } from './pipeline/outbox-open.js';
import { createBrowserPlatform } from './platform/browser.js';
import type { Platform } from './platform/platform.js';
import { flawOf } from './platform/soundness.js';

export type { ExportResult, TraceExporterOptions } from './exporter.js';

/** Why nothing can be sent from here, if that is so. The page's console is told; a server's is not, which is no page. */
export function unfit({ isNowhere }: Destination): string | undefined {
  const flaw = flawOf() ?? (isNowhere ? 'an origin' : undefined);
  const reason = flaw && `nothing is traced: ${flaw} is missing or broken`;
  if (reason && globalThis.location) console.warn(`spandrel: ${reason}`);
  return reason;
}

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
      openOutbox,
      unfit,
      // By name: a bundler keeps all of a module that is passed on whole.
      compression: { createCompressor, gzipNow },
    });
  }
}
