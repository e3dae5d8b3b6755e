import type { Scope } from '../forward/listing.js';
import { SENDER_NUMBERS } from '../forward/sender-options.js';
import { DEFAULT_LAYOUT } from '../object-key.js';
import { DEFAULT_STATE_PREFIX } from '../server/forwarded.js';
import { gzip as gzipStream } from '../wire/gzip.js';
import type { InspectLimits } from '../wire/inspect.js';
import type { BucketOptions, CompactOptions } from './compact-options.js';
import { check } from './option-check.js';
import { PERIOD_MILLIS, type PeriodLength } from './period.js';
import type { PartLimits } from './read-parts.js';
import { parseRetention, type Retention } from './retention.js';
import type { RuleSettings } from './rules.js';
import type { CompactCounts } from './summary.js';

/** {@link BucketOptions}, checked. */
export interface BucketSettings
  extends Scope,
    Required<
      Pick<
        BucketOptions,
        'storage' | 'statePrefix' | 'quarantinePrefix' | 'concurrency' | 'maxObjectBytes' | 'gzip' | 'now'
      >
    > {
  period: PeriodLength;
  leaseMillis: number;
  gunzip: BucketOptions['gunzip'];
  signal: AbortSignal | undefined;
  /** What is taken of objects; the same as `forward`'s sender takes, so that it takes what is written. */
  limits: InspectLimits;
  /** Stored bytes held at a time. */
  maxBatchBytes: number;
}

/** {@link CompactOptions}, checked. */
export interface CompactSettings extends BucketSettings {
  graceMillis: number;
  rememberMillis: number;
  retention: Retention;
  rules: RuleSettings;
  part: PartLimits;
  onProgress: ((counts: Readonly<CompactCounts>) => void) | undefined;
}

const MIB = 1_048_576;
const DAY_MILLIS = 86_400_000;
/** `[default, least, most]`. */
const BUCKET_NUMBERS = {
  concurrency: [16, 1, 100],
  leaseMinutes: [10, 2, 1_440],
  maxObjectBytes: [4 * MIB, 1_024, 1_024 * MIB],
} as const;
/** `[default, least, most]`. */
const NUMBERS = {
  graceMillis: [600_000, 0, 7 * DAY_MILLIS],
  rememberDays: [8, 1, 400],
  maxObjects: [20_000, 2, 20_000],
  maxInflatedBytes: [16 * MIB, 65_536, 16 * MIB],
} as const;
const PREFIXES = {
  prefix: DEFAULT_LAYOUT.prefix,
  statePrefix: DEFAULT_STATE_PREFIX,
  quarantinePrefix: 'quarantine',
};
const MAX_BATCH_BYTES = 4 * MIB;
const MIN_HASH_KEY = 16;
/** That readers take in an object. */
const [MAX_SPANS] = SENDER_NUMBERS.maxSpans;
/** What rules add needs room too: by so much less than readers take is written. */
const SHARE = 0.8;

/** Of `compact` and `erase`. */
export const BUCKET_NAMES: readonly string[] = [
  ...['storage', 'prefix', 'project', 'environment', 'from', 'until', 'period', 'statePrefix'],
  ...['quarantinePrefix', 'concurrency', 'leaseMinutes', 'maxObjectBytes', 'gunzip', 'gzip', 'now', 'signal'],
];
const NAMES = [
  ...BUCKET_NAMES,
  ...['graceMillis', 'bots', 'agents', 'drop', 'hash', 'hashKey', 'retain', 'rememberDays', 'onProgress'],
  ...['maxObjects', 'maxInflatedBytes'],
];
/** @throws {TypeError} naming the option, what it got and what it takes. */
export function checkBucketOptions(options: BucketOptions): BucketSettings {
  const { storage, period = 'hour' } = options;
  check.storage(storage);
  if (!Object.hasOwn(PERIOD_MILLIS, period)) check.refuse('period', period, '"minute", "hour" or "day"');
  check.segments(options);
  check.functions(options, ['gunzip', 'gzip', 'now']);
  const { concurrency, leaseMinutes, maxObjectBytes } = check.integers(options, BUCKET_NUMBERS);
  const limits = Object.fromEntries(
    Object.entries(SENDER_NUMBERS).map(([name, [fallback]]) => [name, fallback]),
  ) as unknown as InspectLimits;
  return {
    storage,
    period,
    ...check.prefixes(options, PREFIXES),
    project: options.project,
    environment: options.environment,
    // Whole periods, so that what is in one becomes one.
    fromMillis:
      Math.floor(check.instant('from', options.from, 0) / PERIOD_MILLIS[period]) * PERIOD_MILLIS[period],
    untilMillis:
      Math.ceil(check.instant('until', options.until, Number.POSITIVE_INFINITY) / PERIOD_MILLIS[period]) *
      PERIOD_MILLIS[period],
    concurrency,
    leaseMillis: leaseMinutes * 60_000,
    maxObjectBytes,
    maxBatchBytes: MAX_BATCH_BYTES,
    limits: { ...limits, maxObjectBytes },
    gunzip: options.gunzip,
    gzip: options.gzip ?? gzipStream,
    now: options.now ?? Date.now,
    signal: options.signal,
  };
}

/** @throws {TypeError} naming the option, what it got and what it takes. */
export function checkCompactOptions(options: CompactOptions): CompactSettings {
  check.names('compact()', options, NAMES);
  const { bots = 'keep', agents = false, hashKey = '' } = options;
  if (bots !== 'keep' && bots !== 'drop') check.refuse('bots', bots, '"keep" or "drop"');
  if (typeof agents !== 'boolean') check.refuse('agents', agents, 'true or false');
  const names = (name: 'drop' | 'hash'): string[] => {
    const list: unknown = options[name] ?? [];
    if (Array.isArray(list) && list.every((item) => typeof item === 'string' && item)) return [...list];
    return check.refuse(name, list, 'a list of names of attributes');
  };
  const hash = names('hash');
  if (typeof hashKey !== 'string' || (hash.length > 0 && hashKey.length < MIN_HASH_KEY)) {
    // What it got is a secret.
    check.refuse(
      'hashKey',
      `${hashKey.length} characters`,
      `${MIN_HASH_KEY} characters or more, where there is "hash"`,
    );
  }
  check.functions(options, ['onProgress']);
  const bucket = checkBucketOptions(options);
  const { graceMillis, rememberDays, maxObjects, maxInflatedBytes } = check.integers(options, NUMBERS);
  return {
    ...bucket,
    graceMillis,
    rememberMillis: rememberDays * DAY_MILLIS,
    retention: options.retain === undefined ? {} : parseRetention(options.retain),
    part: {
      maxObjects,
      maxBytes: maxInflatedBytes * SHARE,
      maxStoredBytes: bucket.maxObjectBytes * SHARE,
      maxSpans: MAX_SPANS * SHARE,
    },
    rules: { bots, agents, drop: names('drop'), hash, hashKey },
    onProgress: options.onProgress,
  };
}
