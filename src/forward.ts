/** From the bucket to any OTLP/HTTP endpoint. */
export type {
  BatchResult,
  BatchSender,
  FetchedObject,
  ObjectResult,
  QuarantineReason,
} from './forward/batch.js';
export { forward } from './forward/forward.js';
export type { After, ForwardOptions, HandlingOptions } from './forward/forward-options.js';
export type { ForwardCounts, ForwardEnd, ForwardSummary } from './forward/summary.js';
