/**
 * OpenTelemetry traces from the browser straight into your own bucket. See src/spa/README.md.
 *
 * @module
 */
export { type BucketOptions, bucket } from './bucket/bucket.js';
export type { Receipt, Want } from './bucket/endpoint.js';
export type { IssuedUpload } from './bucket/exchange.js';
export type { BucketFunctions, Tools } from './bucket/functions.js';
export type {
  Destination,
  DestinationDeps,
  OpenDestination,
} from './destinations/destination.js';
export { tee } from './destinations/tee.js';
export type { Stats, TraceResult } from './diagnostics/stats.js';
export type {
  BucketTuning,
  BufferOptions,
  ExporterOptions,
} from './options.js';
export { PageInstrumentation } from './page-instrumentation.js';
export type {
  Consent,
  ConsentOptions,
  ContextAttributes,
  ContextOptions,
  LocalTrace,
  PageOptions,
  PrivacyOptions,
  RedactableSpan,
  RedactionOptions,
  RouteNames,
  SamplingOptions,
  TracedRequest,
  User,
} from './page-options.js';
export type { DropReason, Outcome, Part, SpanTexts, TraceBlob, Upload } from './pipeline/model.js';
export type { FlushResult } from './pipeline/pipeline.js';
export type { SamplingRule, TraceSummary } from './protocol.js';
export type { ContextSetters } from './spa/page-context.js';
export { type SamplerOptions, spandrelSampler } from './spa/sampler.js';
export { type SessionHost, type SessionProcessor, sessionProcessor } from './spa/session.js';
export { type Instrumentation, type Spandrel, type StartOptions, start } from './start.js';
export { type TailSampling, type TailSamplingOptions, tailSampling } from './tail-sampling.js';
export {
  TraceBatchProcessor,
  type TraceBatchProcessorOptions,
} from './trace-batch-processor.js';
export {
  type ExportResult,
  TraceExporter,
  type TraceExporterOptions,
} from './trace-exporter.js';
