/**
 * OpenTelemetry traces from Workers and other edge runtimes straight into your own bucket. See src/edge/README.md.
 *
 * @module
 */

export { bucket } from './bucket/bucket.js';
export { type R2Binding, type R2Options, r2 } from './destinations/r2.js';
export { tee } from './destinations/tee.js';
export {
  type EdgeHandler,
  type EnvOf,
  type FunctionHandler,
  instrument,
  type ModuleHandler,
} from './edge/instrument.js';
export type { EdgeOptions } from './edge/options.js';
export { TraceExporter } from './edge/trace-exporter.js';
export { contextOf, traceFetch } from './edge/tracing.js';
export { TraceBatchProcessor } from './trace-batch-processor.js';
