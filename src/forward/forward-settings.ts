import { DEFAULT_LAYOUT, isKeyPrefix, isKeySegment } from '../object-key.js';
import { DEFAULT_STATE_PREFIX } from '../server/forwarded.js';
import type { BatchSender } from './batch.js';
import { createBatchSender } from './batch-sender.js';
import type { ForwardOptions, HandlingOptions, ObjectNotifier } from './forward-options.js';
import { checkIntegers, checkOptionNames, type Ranges, refuseOption } from './option-check.js';
import type { ForwardCounts } from './summary.js';

/** {@link HandlingOptions}, checked. */
export interface HandlingSettings extends Required<Omit<HandlingOptions, 'to'>> {}

/** {@link ForwardOptions}, checked and made ready. */
export interface ForwardSettings extends HandlingSettings {
  project: string | undefined;
  environment: string | undefined;
  fromMillis: number;
  untilMillis: number;
  /** Where it is what `fromMillis` comes from. */
  lookBackMinutes: number | undefined;
  mergeWindowMillis: number;
  maxWaitMillis: number;
  leases: boolean;
  leaseMillis: number;
  rememberMillis: number;
  signal: AbortSignal | undefined;
  onProgress: ((counts: Readonly<ForwardCounts>) => void) | undefined;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const DAY_MILLIS = 86_400_000;
/** `[default, least, most]`. */
export const HANDLING_NUMBERS: Ranges<
  'maxBatchObjects' | 'maxBatchBytes' | 'maxObjectBytes' | 'concurrency'
> = {
  maxBatchObjects: [200, 1, 10_000],
  maxBatchBytes: [8 * MIB, 64 * KIB, 1024 * MIB],
  maxObjectBytes: [4 * MIB, KIB, 1024 * MIB],
  concurrency: [16, 1, 100],
};
/** `[default, least, most]`. */
export const FORWARD_NUMBERS: Ranges<
  'lookBackMinutes' | 'mergeWindowMillis' | 'maxWaitMillis' | 'leaseMinutes' | 'rememberDays'
> = {
  lookBackMinutes: [10_080, 1, 527_040],
  mergeWindowMillis: [120_000, 0, DAY_MILLIS],
  maxWaitMillis: [60_000, 0, DAY_MILLIS],
  leaseMinutes: [10, 2, 1_440],
  rememberDays: [8, 1, 400],
};
const HANDLING_NAMES = [
  ...['storage', 'sender', 'to', 'after', 'now', 'signals'],
  ...['prefix', 'statePrefix', 'quarantinePrefix', 'movedPrefix'],
  ...Object.keys(HANDLING_NUMBERS),
];
const FORWARD_NAMES = [
  ...HANDLING_NAMES,
  ...['project', 'environment', 'from', 'until', 'leases', 'signal', 'onProgress'],
  ...Object.keys(FORWARD_NUMBERS),
];
const METHODS = ['put', 'list', 'get', 'delete'] as const;

/** @throws {TypeError} naming the option, what it got and what it takes. */
export function checkForwardOptions(options: ForwardOptions): ForwardSettings {
  const handling = checkHandlingOptions('forward()', options, FORWARD_NAMES);
  const minute = (value: Date | number | undefined, name: string, fallback: number): number => {
    if (value === undefined) return fallback;
    const millis = Number(value);
    return Number.isFinite(millis) ? millis : refuseOption(name, value, 'a date');
  };
  const numbers = checkIntegers(options, FORWARD_NUMBERS);
  const looksBack = options.after === 'keep' && options.from === undefined;
  const looksBackTo = looksBack ? handling.now() - numbers.lookBackMinutes * 60_000 : 0;
  for (const name of ['project', 'environment'] as const) {
    const value = options[name];
    if (value !== undefined && !isKeySegment(value)) refuseOption(name, value, 'one key segment');
  }
  if (options.onProgress !== undefined && typeof options.onProgress !== 'function') {
    refuseOption('onProgress', options.onProgress, 'a function');
  }
  if (options.leases !== undefined && typeof options.leases !== 'boolean') {
    refuseOption('leases', options.leases, 'true or false');
  }
  return {
    ...handling,
    project: options.project,
    environment: options.environment,
    fromMillis: minute(options.from, 'from', looksBackTo),
    untilMillis: minute(options.until, 'until', Number.POSITIVE_INFINITY),
    lookBackMinutes: looksBack ? numbers.lookBackMinutes : undefined,
    mergeWindowMillis: numbers.mergeWindowMillis,
    maxWaitMillis: numbers.maxWaitMillis,
    leases: options.leases ?? true,
    leaseMillis: numbers.leaseMinutes * 60_000,
    rememberMillis: numbers.rememberDays * DAY_MILLIS,
    signal: options.signal,
    onProgress: options.onProgress,
  };
}

/** @throws {TypeError} naming the option, what it got and what it takes. */
export function checkHandlingOptions(
  what: string,
  options: HandlingOptions,
  names: readonly string[] = HANDLING_NAMES,
): HandlingSettings {
  checkOptionNames(what, options, names);
  const { storage, after } = options;
  if (METHODS.some((method) => typeof storage?.[method] !== 'function')) {
    refuseOption('storage', storage, `s3() or an object with ${METHODS.join(', ')}`);
  }
  const sender = senderOf(options);
  if (!['delete', 'move', 'keep'].includes(after)) refuseOption('after', after, '"delete", "move" or "keep"');
  if ('notify' in sender && after !== 'keep') {
    refuseOption('after', after, '"keep" where the sender is only told of objects, and others read them');
  }
  const prefixes = {
    prefix: options.prefix ?? DEFAULT_LAYOUT.prefix,
    statePrefix: options.statePrefix ?? DEFAULT_STATE_PREFIX,
    quarantinePrefix: options.quarantinePrefix ?? 'quarantine',
    movedPrefix: options.movedPrefix ?? 'forwarded',
  };
  const all = Object.entries(prefixes);
  for (const [name, value] of all) {
    if (typeof value !== 'string' || !isKeyPrefix(value)) {
      refuseOption(name, value, 'key segments joined by single slashes');
    }
    const other = all.find(([own, prefix]) => own !== name && `${value}/`.startsWith(`${prefix}/`));
    // What is written would be read as traces, or the other way about.
    if (other) refuseOption(name, value, `a place outside of ${other[0]}, which is "${other[1]}"`);
  }
  const { signals = ['traces', 'logs'] } = options;
  if (
    !Array.isArray(signals) ||
    signals.length === 0 ||
    signals.some((one) => one !== 'traces' && one !== 'logs')
  ) {
    refuseOption('signals', signals, 'an array of "traces", "logs" or both');
  }
  return {
    storage,
    sender,
    after,
    signals,
    ...prefixes,
    ...checkIntegers(options, HANDLING_NUMBERS),
    now: options.now ?? Date.now,
  };
}

function senderOf({ sender, to }: HandlingOptions): BatchSender | ObjectNotifier {
  if (!sender === !to) {
    refuseOption('sender', sender, 'createBatchSender(), s3Notifications() or, in its place, "to"');
  }
  if (to) return createBatchSender(to);
  const { send, notify } = sender as Partial<BatchSender & ObjectNotifier>;
  if (typeof (send ?? notify) === 'function') return sender as BatchSender | ObjectNotifier;
  return refuseOption('sender', sender, 'createBatchSender(), s3Notifications(), or an object with send');
}
