import { DEFAULT_LAYOUT, isKeyPrefix, isKeySegment } from '../object-key.js';
import { DEFAULT_STATE_PREFIX } from '../server/forwarded.js';
import type { Storage } from '../server/storage.js';
import type { BatchSender } from './batch.js';
import type { ForwardCounts } from './summary.js';

/** What becomes of an object once a backend has it. */
export type After = 'delete' | 'move' | 'keep';

/** What {@link ForwardOptions} and the queue consumer have in common. */
export interface HandlingOptions {
  storage: Storage;
  /** Takes what was read: `createBatchSender()`, `s3Notifications()`, or anything of that shape. */
  sender: BatchSender;
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
export type HandlingSettings = Required<HandlingOptions>;

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
const METHODS = ['put', 'list', 'get', 'delete'] as const;

/** @throws {TypeError} naming the option, what it got and what it takes. */
export function checkForwardOptions(options: ForwardOptions): ForwardSettings {
  const handling = checkHandlingOptions(options);
  const minute = (value: Date | number | undefined, name: string, fallback: number): number => {
    if (value === undefined) return fallback;
    const millis = Number(value);
    return Number.isFinite(millis) ? millis : refuse(name, value, 'a date');
  };
  const lookBackMinutes = integer(options, 'lookBackMinutes', 10_080, 1, 527_040);
  const looksBackTo = handling.now() - lookBackMinutes * 60_000;
  for (const name of ['project', 'environment'] as const) {
    const value = options[name];
    if (value !== undefined && !isKeySegment(value)) refuse(name, value, 'one key segment');
  }
  return {
    ...handling,
    project: options.project,
    environment: options.environment,
    fromMillis: minute(options.from, 'from', options.after === 'keep' ? looksBackTo : 0),
    untilMillis: minute(options.until, 'until', Number.POSITIVE_INFINITY),
    mergeWindowMillis: integer(options, 'mergeWindowMillis', 120_000, 0, DAY_MILLIS),
    maxWaitMillis: integer(options, 'maxWaitMillis', 60_000, 0, DAY_MILLIS),
    leases: options.leases ?? true,
    leaseMillis: integer(options, 'leaseMinutes', 10, 2, 1_440) * 60_000,
    rememberMillis: integer(options, 'rememberDays', 8, 1, 400) * DAY_MILLIS,
    signal: options.signal,
    onProgress: options.onProgress,
  };
}

/** @throws {TypeError} naming the option, what it got and what it takes. */
export function checkHandlingOptions(options: HandlingOptions): HandlingSettings {
  if (typeof options !== 'object' || options === null) refuse('options', options, 'an object');
  const { storage, sender, after } = options;
  if (METHODS.some((method) => typeof storage?.[method] !== 'function')) {
    refuse('storage', storage, `s3() or an object with ${METHODS.join(', ')}`);
  }
  if (typeof sender?.send !== 'function')
    refuse('sender', sender, 'createBatchSender() or s3Notifications()');
  if (!['delete', 'move', 'keep'].includes(after)) refuse('after', after, '"delete", "move" or "keep"');
  const prefixes = {
    prefix: options.prefix ?? DEFAULT_LAYOUT.prefix,
    statePrefix: options.statePrefix ?? DEFAULT_STATE_PREFIX,
    quarantinePrefix: options.quarantinePrefix ?? 'quarantine',
    movedPrefix: options.movedPrefix ?? 'forwarded',
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
  return {
    storage,
    sender,
    after,
    ...prefixes,
    maxBatchObjects: integer(options, 'maxBatchObjects', 200, 1, 10_000),
    maxBatchBytes: integer(options, 'maxBatchBytes', 8 * MIB, 64 * KIB, 1024 * MIB),
    maxObjectBytes: integer(options, 'maxObjectBytes', 4 * MIB, KIB, 1024 * MIB),
    concurrency: integer(options, 'concurrency', 16, 1, 100),
    now: options.now ?? Date.now,
  };
}

function integer<N extends string>(
  options: { [name in N]?: unknown },
  name: N,
  fallback: number,
  least: number,
  most: number,
): number {
  const value = options[name] ?? fallback;
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  return refuse(name, value, `a whole number from ${least} to ${most}`);
}

/** @throws {TypeError} always. The value is not shown where it may hold a secret. */
export function refuse(name: string, got: unknown, takes: string): never {
  const shown =
    typeof got === 'string'
      ? JSON.stringify(got.slice(0, 80))
      : Object(got) === got
        ? 'an object'
        : String(got);
  throw new TypeError(`spandrel/forward: option "${name}" takes ${takes}, got ${shown}`);
}
