/**
 * OpenTelemetry traces from Workers and other edge runtimes straight into your own bucket. See the README.
 *
 * @module
 */
export { bucket } from './destinations/bucket.js';
export { tee } from './destinations/tee.js';
export { TraceExporter } from './edge/trace-exporter.js';
export { TraceBatchProcessor } from './trace-batch-processor.js';
