/** From the bucket to any OTLP/HTTP endpoint. */
export type {
  BatchResult,
  BatchSender,
  FetchedObject,
  ObjectResult,
  QuarantineReason,
} from './forward/batch.js';
