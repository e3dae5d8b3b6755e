/**
 * Spans from a live stream of named events, for apps that emit events and no spans. See src/events/README.md.
 *
 * @module
 */
export { EventSpans } from './events/event-spans.js';
export { type EventMap, fromEventTarget, type Told } from './events/from-event-target.js';
export { fromMessages, type MessageSourceOptions } from './events/from-messages.js';
export { fromPerformance, type PerformanceSourceOptions } from './events/from-performance.js';
export type { Endings, EventRoute } from './events/names.js';
export type {
  EventSession,
  EventSpanProcessor,
  EventSpansOptions,
  Key,
  KeyOf,
  Payload,
} from './events/options.js';
export { type EventSender, type EventSenderOptions, type MessageTarget, sendTo } from './events/send-to.js';
export type { EventSnapshot, SnapshotSpan } from './events/snapshot.js';
export type { EventDropReason, EventStats, IgnoredReason } from './events/stats.js';
export type { EventTime } from './events/time.js';
