import { Exporter, type TraceExporterOptions } from '../exporter.js';
import { createDelivery } from '../pipeline/deliver.js';
import { createEdgePlatform } from '../platform/edge.js';
import * as compress from './compress.js';

/**
 * An OpenTelemetry `SpanExporter` that stores traces as objects in a bucket, for processes without a page: Node, Deno,
 * Bun. Put `TraceBatchProcessor` in front of it. What waits is in memory: call `shutdown()` before the process ends.
 *
 * Not for Workers, where no two requests may share a timer or a promise: see `instrument`.
 *
 * @see https://opentelemetry.io/docs/specs/otel/trace/sdk/#span-exporter
 */
export class TraceExporter extends Exporter {
  /** @throws {TypeError} naming the option, what it got and what it takes. */
  constructor(options: TraceExporterOptions) {
    super(options, {
      platform: createEdgePlatform,
      async openDelivery(host) {
        const { CompressionStream } = globalThis;
        const onCorrupt = (): void =>
          host.diagnostics.trouble('corrupt-gzip', 'CompressionStream gave wrong bytes');
        const gzip = compress.createCompressor({ CompressionStream, onCorrupt });
        return { ...createDelivery(host, { gzip, gzipNow: compress.gzipNow }), later: undefined };
      },
    });
  }
}
