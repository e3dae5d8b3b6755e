import { DEFAULT_LAYOUT } from '../object-key.js';
import { DEFAULT_STATE_PREFIX } from '../server/forwarded.js';
import type { BatchSender } from './batch.js';
import { createBatchSender } from './batch-sender.js';
import type { ForwardOptions, HandlingOptions } from './forward-options.js';
import { check } from './option-check.js';
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
const HANDLING_NUMBERS = {
  maxBatchObjects: [200, 1, 10_000],
  maxBatchBytes: [8 * MIB, 64 * KIB, 1024 * MIB],
  maxObjectBytes: [4 * MIB, KIB, 1024 * MIB],
  concurrency: [16, 1, 100],
} as const;
/** `[default, least, most]`. */
const FORWARD_NUMBERS = {
  lookBackMinutes: [10_080, 1, 527_040],
  maxWaitMillis: [60_000, 0, DAY_MILLIS],
  leaseMinutes: [10, 2, 1_440],
  rememberDays: [8, 1, 400],
} as const;
const PREFIXES = {
  prefix: DEFAULT_LAYOUT.prefix,
  statePrefix: DEFAULT_STATE_PREFIX,
  quarantinePrefix: 'quarantine',
  movedPrefix: 'forwarded',
};
const HANDLING_NAMES = [
  ...['storage', 'sender', 'to', 'after', 'now', 'signals'],
  ...Object.keys({ ...PREFIXES, ...HANDLING_NUMBERS }),
];
const FORWARD_NAMES = [
  ...HANDLING_NAMES,
  ...['project', 'environment', 'from', 'until', 'leases', 'signal', 'onProgress'],
  ...Object.keys(FORWARD_NUMBERS),
];
const GONE = {
  mergeWindowMillis:
    'nothing waits; compact() puts the parts of a trace together, and forward() sends what it wrote',
};

/** @throws {TypeError} naming the option, what it got and what it takes. */
export function checkForwardOptions(options: ForwardOptions): ForwardSettings {
  const handling = checkHandlingOptions('forward()', options, FORWARD_NAMES);
  const { leases = true, project, environment, signal, onProgress } = options;
  const numbers = check.integers(options, FORWARD_NUMBERS);
  const looksBack = options.after === 'keep' && options.from === undefined;
  const looksBackTo = looksBack ? handling.now() - numbers.lookBackMinutes * 60_000 : 0;
  check.segments(options);
  check.functions(options, ['onProgress']);
  if (typeof leases !== 'boolean') check.refuse('leases', leases, 'true or false');
  return {
    ...handling,
    ...{ project, environment, leases, signal, onProgress },
    fromMillis: check.instant('from', options.from, looksBackTo),
    untilMillis: check.instant('until', options.until, Number.POSITIVE_INFINITY),
    lookBackMinutes: looksBack ? numbers.lookBackMinutes : undefined,
    maxWaitMillis: numbers.maxWaitMillis,
    leaseMillis: numbers.leaseMinutes * 60_000,
    rememberMillis: numbers.rememberDays * DAY_MILLIS,
  };
}

/** @throws {TypeError} naming the option, what it got and what it takes. */
export function checkHandlingOptions(
  what: string,
  options: HandlingOptions,
  names: readonly string[] = HANDLING_NAMES,
): HandlingSettings {
  check.names(what, options, names, GONE);
  const { storage, after, signals = ['traces', 'logs'], now = Date.now } = options;
  check.storage(storage);
  check.functions(options, ['now']);
  const sender = senderOf(options);
  if (!['delete', 'move', 'keep'].includes(after)) {
    check.refuse('after', after, '"delete", "move" or "keep"');
  }
  const areSignals = Array.isArray(signals) && signals.every((one) => one === 'traces' || one === 'logs');
  if (!areSignals || signals.length === 0) {
    check.refuse('signals', signals, 'an array of "traces", "logs" or both');
  }
  return {
    ...{ storage, sender, after, signals, now },
    ...check.prefixes(options, PREFIXES),
    ...check.integers(options, HANDLING_NUMBERS),
  };
}

function senderOf({ sender, to }: HandlingOptions): BatchSender {
  if (!sender === !to) check.refuse('sender', sender, 'createBatchSender() or, in its place, "to"');
  if (to) return createBatchSender(to);
  if (typeof sender?.send === 'function') return sender;
  return check.refuse('sender', sender, 'createBatchSender(), or an object with send');
}
