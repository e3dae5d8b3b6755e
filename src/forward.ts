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
export type { After, ForwardOptions, HandlingOptions } from './forward/forward-options.js';
export type { SenderHeaders } from './forward/otlp-sender.js';
export type { BatchSenderOptions } from './forward/sender-options.js';
export type { Stamp, StampAttributes, StampContext } from './forward/stamp.js';
export type { ForwardCounts, ForwardEnd, ForwardSummary, ForwardWindow } from './forward/summary.js';
export type { BadTimes } from './forward/times.js';
export type { Gunzip } from './wire/inflate.js';
