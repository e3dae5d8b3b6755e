import { gzip as gzipStream } from '../forward/gzip.js';
import type { InspectLimits } from '../forward/inspect.js';
import type { Scope } from '../forward/listing.js';
import { SENDER_NUMBERS } from '../forward/sender-options.js';
import { DEFAULT_LAYOUT, isKeyPrefix, isKeySegment } from '../object-key.js';
import { DEFAULT_STATE_PREFIX } from '../server/forwarded.js';
import type { BucketOptions, CompactOptions } from './compact-options.js';
import { checkNames, refuse } from './option-check.js';
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
const NUMBERS = {
  concurrency: [16, 1, 100],
  leaseMinutes: [10, 2, 1_440],
  maxObjectBytes: [4 * MIB, 1_024, 1_024 * MIB],
  graceMillis: [600_000, 0, 7 * DAY_MILLIS],
  rememberDays: [8, 1, 400],
  maxObjects: [20_000, 2, 20_000],
  maxInflatedBytes: [16 * MIB, 65_536, 16 * MIB],
} as const;
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
const METHODS = ['put', 'list', 'get', 'delete'] as const;

function integer(options: object, name: keyof typeof NUMBERS): number {
  const [fallback, least, most] = NUMBERS[name];
  const value = (options as Record<string, unknown>)[name] ?? fallback;
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most)
    return value as number;
  return refuse(name, value, `an integer from ${least} to ${most}`);
}

/** @throws {TypeError} naming the option, what it got and what it takes. */
export function checkBucketOptions(options: BucketOptions): BucketSettings {
  const { storage, period = 'hour' } = options;
  if (METHODS.some((method) => typeof storage?.[method] !== 'function')) {
    refuse('storage', storage, `s3(), r2() or an object with ${METHODS.join(', ')}`);
  }
  if (!Object.hasOwn(PERIOD_MILLIS, period)) refuse('period', period, '"minute", "hour" or "day"');
  for (const name of ['project', 'environment'] as const) {
    const value = options[name];
    if (value !== undefined && !isKeySegment(value)) refuse(name, value, 'one key segment');
  }
  for (const name of ['gunzip', 'gzip', 'now'] as const) {
    const value = options[name];
    if (value !== undefined && typeof value !== 'function') refuse(name, value, 'a function');
  }
  const instant = (name: 'from' | 'until', fallback: number): number => {
    const value = options[name];
    const millis = value === undefined ? fallback : Number(value);
    return Number.isNaN(millis) ? refuse(name, value, 'a date') : millis;
  };
  const maxObjectBytes = integer(options, 'maxObjectBytes');
  const limits = Object.fromEntries(
    Object.entries(SENDER_NUMBERS).map(([name, [fallback]]) => [name, fallback]),
  ) as unknown as InspectLimits;
  return {
    storage,
    period,
    ...checkPrefixes(options),
    project: options.project,
    environment: options.environment,
    // Whole periods, so that what is in one becomes one.
    fromMillis: Math.floor(instant('from', 0) / PERIOD_MILLIS[period]) * PERIOD_MILLIS[period],
    untilMillis:
      Math.ceil(instant('until', Number.POSITIVE_INFINITY) / PERIOD_MILLIS[period]) * PERIOD_MILLIS[period],
    concurrency: integer(options, 'concurrency'),
    leaseMillis: integer(options, 'leaseMinutes') * 60_000,
    maxObjectBytes,
    maxBatchBytes: MAX_BATCH_BYTES,
    limits: { ...limits, maxObjectBytes },
    gunzip: options.gunzip,
    gzip: options.gzip ?? gzipStream,
    now: options.now ?? Date.now,
    signal: options.signal,
  };
}

function checkPrefixes(
  options: BucketOptions,
): Pick<BucketSettings, 'prefix' | 'statePrefix' | 'quarantinePrefix'> {
  const prefixes = {
    prefix: options.prefix ?? DEFAULT_LAYOUT.prefix,
    statePrefix: options.statePrefix ?? DEFAULT_STATE_PREFIX,
    quarantinePrefix: options.quarantinePrefix ?? 'quarantine',
  };
  const all = Object.entries(prefixes);
  for (const [name, value] of all) {
    if (typeof value !== 'string' || !isKeyPrefix(value)) {
      refuse(name, value, 'key segments joined by single slashes');
    }
    const other = all.find(([own, prefix]) => own !== name && `${value}/`.startsWith(`${prefix}/`));
    // What is written would be read as traces, or the other way about.
    if (other) refuse(name, value, `a place outside of ${other[0]}, which is "${other[1]}"`);
  }
  return prefixes;
}

/** @throws {TypeError} naming the option, what it got and what it takes. */
export function checkCompactOptions(options: CompactOptions): CompactSettings {
  checkNames('compact()', options, NAMES);
  const { bots = 'keep', agents = false, hashKey = '' } = options;
  if (bots !== 'keep' && bots !== 'drop') refuse('bots', bots, '"keep" or "drop"');
  if (typeof agents !== 'boolean') refuse('agents', agents, 'true or false');
  const names = (name: 'drop' | 'hash'): string[] => {
    const list: unknown = options[name] ?? [];
    if (Array.isArray(list) && list.every((item) => typeof item === 'string' && item)) return [...list];
    return refuse(name, list, 'a list of names of attributes');
  };
  const hash = names('hash');
  if (typeof hashKey !== 'string' || (hash.length > 0 && hashKey.length < MIN_HASH_KEY)) {
    // What it got is a secret.
    refuse(
      'hashKey',
      `${hashKey.length} characters`,
      `${MIN_HASH_KEY} characters or more, where there is "hash"`,
    );
  }
  if (options.onProgress !== undefined && typeof options.onProgress !== 'function') {
    refuse('onProgress', options.onProgress, 'a function');
  }
  const bucket = checkBucketOptions(options);
  return {
    ...bucket,
    graceMillis: integer(options, 'graceMillis'),
    rememberMillis: integer(options, 'rememberDays') * DAY_MILLIS,
    retention: options.retain === undefined ? {} : parseRetention(options.retain),
    part: {
      maxObjects: integer(options, 'maxObjects'),
      maxBytes: integer(options, 'maxInflatedBytes') * SHARE,
      maxStoredBytes: bucket.maxObjectBytes * SHARE,
      maxSpans: MAX_SPANS * SHARE,
    },
    rules: { bots, agents, drop: names('drop'), hash, hashKey },
    onProgress: options.onProgress,
  };
}
