/** The bucket kept small: one object for each hour; what is not to be kept goes. */
export { compact } from './compact/compact.js';
export type { BucketOptions, CompactOptions, Gzip } from './compact/compact-options.js';
export { type EraseOptions, type EraseSummary, erase } from './compact/erase.js';
export type { PeriodLength } from './compact/period.js';
export type { CompactCounts, CompactEnd, CompactSummary } from './compact/summary.js';
export { type CompactWorkerOptions, compactWorker } from './compact/worker.js';
