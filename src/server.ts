/** The server half: the one endpoint that browsers talk to, and the stores behind it. */
export type {
  BlobExchangeRequest,
  BlobExchangeResponse,
  BlobReceipt,
  BlobRelayResponse,
  BlobUpload,
  ClientConfig,
  ErrorCode,
  ErrorResponse,
  ExchangeRequest,
  ExchangeResponse,
  PageLedger,
  PresignedUpload,
  RelayResponse,
  SamplingRule,
  StoredReceipt,
  TraceSummary,
  WantedUpload,
} from './protocol.js';
export {
  durableObjectQuota,
  type QuotaNamespace,
  QuotaObject,
  type QuotaObjectState,
} from './server/durable-object-quota.js';
export { createIngest } from './server/ingest.js';
export type {
  IngestContext,
  IngestOptions,
  ProjectOptions,
  RateLimitAnswer,
} from './server/ingest-options.js';
export { createLedger, type Ledger, type LedgerOptions, type PageAccount } from './server/ledger.js';
export type { IngestLogEntry } from './server/log.js';
export { type MemoryQuotaOptions, memoryQuota } from './server/memory-quota.js';
export {
  type NodeListenerOptions,
  type NodeRequest,
  type NodeResponse,
  nodeListener,
} from './server/node-listener.js';
export type { AllowedOrigins } from './server/origin.js';
export type { OtlpOptions } from './server/otlp/settings.js';
export type {
  QuotaAnswer,
  QuotaBudget,
  QuotaCost,
  QuotaLimits,
  QuotaOptions,
  QuotaOutcome,
  QuotaStore,
  QuotaTake,
} from './server/quota.js';
export { type R2Bucket, type R2BucketObject, type R2StorageOptions, r2 } from './server/r2.js';
export type { NumberRange } from './server/ranges.js';
export { s3 } from './server/s3.js';
export type { S3Options } from './server/s3-options.js';
export type { Stage } from './server/stopwatch.js';
export {
  type ListOptions,
  type Presign,
  type PresignedRequest,
  type PresigningStorage,
  type PresignOptions,
  type Storage,
  StorageError,
  type StoredObject,
} from './server/storage.js';
export {
  type RateLimitBinding,
  type WorkersRateLimitOptions,
  workersRateLimit,
} from './server/workers-rate-limit.js';
