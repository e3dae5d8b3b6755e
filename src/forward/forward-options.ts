import { DEFAULT_LAYOUT, isKeyPrefix, isKeySegment } from '../object-key.js';
import { DEFAULT_STATE_PREFIX } from '../server/forwarded.js';
import type { Storage, StoredObject } from '../server/storage.js';
import type { BatchResult, BatchSender } from './batch.js';
import { createBatchSender } from './batch-sender.js';
import { checkIntegers, checkOptionNames, type Ranges, refuseOption } from './option-check.js';
import type { BatchSenderOptions } from './sender-options.js';
import type { ForwardCounts } from './summary.js';

/** What becomes of an object once a backend has it. */
export type After = 'delete' | 'move' | 'keep';

/** Takes objects without their bytes. */
export interface ObjectNotifier {
  /** Never rejects. */
  notify(objects: readonly StoredObject[], signal?: AbortSignal): Promise<BatchResult>;
}

/** What {@link ForwardOptions} and the queue consumer have in common. */
export interface HandlingOptions {
  storage: Storage;
  /** The backend: options of `createBatchSender()`. This or `sender`. */
  to?: BatchSenderOptions;
  /**
   * Takes what was read: `createBatchSender()`, or anything of that shape; or is told what is there, without reading it,
   * as `s3Notifications()` is: then only with `after: 'keep'`, since nobody knows when it has been read.
   */
  sender?: BatchSender | ObjectNotifier;
  /** First segments of the keys to forward. Default `otlp/v1`. Nothing outside is read. */
  prefix?: string;
  /**
   * What becomes of an object that was sent: `delete`; `move` puts it under `movedPrefix`; `keep` leaves it to a
   * lifecycle rule. What cannot be sent goes to `quarantinePrefix` with each.
   */
  after: After;
  /** Most objects sent together, 1 to 10,000. Default 200. Parts of a trace that are sent together are merged. */
  maxBatchObjects?: number;
  /** Most stored bytes held at a time, 64 KiB to 1 GiB. Default 8 MiB. */
  maxBatchBytes?: number;
  /** Larger objects are not read, bytes, 1 KiB to 1 GiB. Default 4 MiB. They stay, with a note in the quarantine. */
  maxObjectBytes?: number;
  /** Requests to the store at a time, 1 to 100. Default 16. A Worker has six connections and queues the rest. */
  concurrency?: number;
  /** Where it is noted what is done; the endpoint must be told of another name. Default `spandrel-state`. */
  statePrefix?: string;
  /** Where objects go that cannot be sent. Default `quarantine`. */
  quarantinePrefix?: string;
  /** Where objects go with `after: 'move'`. Default `forwarded`. */
  movedPrefix?: string;
  /** Epoch milliseconds. Default `Date.now`. */
  now?: () => number;
}

/** Options of `forward`. */
export interface ForwardOptions extends HandlingOptions {
  /** Only objects of this project. */
  project?: string;
  /** Only objects of this environment. */
  environment?: string;
  /** Only objects whose minute ends after this. Default: all, and with `keep` those of the last `lookBackMinutes`. */
  from?: Date | number;
  /** Only objects whose minute begins before this. */
  until?: Date | number;
  /**
   * How far back a pass looks with `keep`, minutes, 1 to 527,040. Default 10,080, a week: for so long a page may
   * still send what it has kept. Each pass lists all of it.
   */
  lookBackMinutes?: number;
  /**
   * A minute's objects are left alone until it has been over for so long, milliseconds, 0 to 86,400,000, so that
   * parts of a trace meet. Default 120,000. 0 takes all there is.
   */
  mergeWindowMillis?: number;
  /**
   * How long a pass waits in all for a backend that asks for patience, milliseconds, 0 to 86,400,000. Default
   * 60,000. Then it ends, and says so.
   */
  maxWaitMillis?: number;
  /**
   * False: no other forwarder works on these objects. Saves a write for each minute. Default true: each minute is
   * leased in the bucket, so that several may run.
   */
  leases?: boolean;
  /** How long a forwarder that is gone keeps others from its minute, 2 to 1,440 minutes. Default 10. */
  leaseMinutes?: number;
  /**
   * For how many days after its minute an object counts as stored though it was deleted, 1 to 400. Default 8; tokens
   * live for 7 unless the endpoint's `tokenMaxAgeSeconds` says otherwise.
   */
  rememberDays?: number;
  /** Ends the pass after the request under way. */
  signal?: AbortSignal;
  /** Told of the counts after each step. The object is always the same. */
  onProgress?: (counts: Readonly<ForwardCounts>) => void;
}

/** {@link HandlingOptions}, checked. */
export interface HandlingSettings extends Required<Omit<HandlingOptions, 'to'>> {}

/** {@link ForwardOptions}, checked and made ready. */
export interface ForwardSettings extends HandlingSettings {
  project: string | undefined;
  environment: string | undefined;
  fromMillis: number;
  untilMillis: number;
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
  ...['storage', 'sender', 'to', 'after', 'now'],
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
  const looksBackTo = handling.now() - numbers.lookBackMinutes * 60_000;
  for (const name of ['project', 'environment'] as const) {
    const value = options[name];
    if (value !== undefined && !isKeySegment(value)) refuseOption(name, value, 'one key segment');
  }
  return {
    ...handling,
    project: options.project,
    environment: options.environment,
    fromMillis: minute(options.from, 'from', options.after === 'keep' ? looksBackTo : 0),
    untilMillis: minute(options.until, 'until', Number.POSITIVE_INFINITY),
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
  return {
    storage,
    sender,
    after,
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
