import { Exporter, type TraceExporterOptions } from '../exporter.js';
import { openMemoryOutbox } from '../pipeline/outbox-memory.js';
import { createEdgePlatform } from '../platform/edge.js';
import * as compression from './compress.js';

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
    super(options, { platform: createEdgePlatform, openOutbox: openMemoryOutbox(), compression });
  }
}
