/**
 * Log records into the bucket, beside the traces. See the README.
 *
 * @module
 */

export type { ExportResult } from './exporter.js';
export { LogBatchProcessor } from './log-batch-processor.js';
export {
  LogExporter,
  type LogExporterOptions,
  type ReadableLogRecord,
  type RedactableLog,
} from './log-exporter.js';
