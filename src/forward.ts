/** From the bucket to any OTLP/HTTP endpoint. */
export type {
  BatchResult,
  BatchSender,
  FetchedObject,
  ObjectResult,
  QuarantineReason,
} from './forward/batch.js';
export { createBatchSender } from './forward/batch-sender.js';
export {
  type ConsumerOptions,
  forwardConsumer,
  type QueueBatch,
  type QueueMessage,
} from './forward/consumer.js';
export { forward } from './forward/forward.js';
export type { After, ForwardOptions, HandlingOptions, ObjectNotifier } from './forward/forward-options.js';
export type { Gunzip } from './forward/inflate.js';
export { type S3NotificationOptions, type S3Notifications, s3Notifications } from './forward/notify.js';
export type { SenderHeaders } from './forward/otlp-sender.js';
export {
  type LandedObject,
  type S3Event,
  type S3EventOptions,
  type S3EventRecord,
  s3Event,
} from './forward/s3-event.js';
export type { BatchSenderOptions } from './forward/sender-options.js';
export type { Stamp, StampAttributes, StampContext } from './forward/stamp.js';
export type { ForwardCounts, ForwardEnd, ForwardSummary, ForwardWindow } from './forward/summary.js';
export type { BadTimes } from './forward/times.js';
