/** The server half: the one endpoint that browsers talk to, and the stores behind it. */
export type {
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
} from './protocol.js';
export { createIngest } from './server/ingest.js';
export type {
  IngestContext,
  IngestOptions,
  ProjectOptions,
  RateLimitAnswer,
} from './server/ingest-options.js';
export { createLedger, type Ledger, type LedgerOptions, type PageAccount } from './server/ledger.js';
export type { AllowedOrigins } from './server/origin.js';
export type { NumberRange } from './server/ranges.js';
export { s3 } from './server/s3.js';
export type { S3Options } from './server/s3-options.js';
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
