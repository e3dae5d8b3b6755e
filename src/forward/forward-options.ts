import type { Signal } from '../object-key.js';
import type { Storage } from '../server/storage.js';
import type { BatchSender } from './batch.js';
import type { BatchSenderOptions } from './sender-options.js';
import type { ForwardCounts } from './summary.js';

/** What becomes of an object once a backend has it. */
export type After = 'delete' | 'move' | 'keep';

/** What {@link ForwardOptions} and the queue consumer have in common. */
export interface HandlingOptions {
  storage: Storage;
  /** The backend: options of `createBatchSender()`. This or `sender`. */
  to?: BatchSenderOptions;
  /** Takes what was read: `createBatchSender()`, or anything of that shape. */
  sender?: BatchSender;
  /**
   * What is forwarded, one of both at least. Default `['traces', 'logs']`: logs go to `/v1/logs`. What is left out stays
   * in the bucket, for backends that take no logs.
   */
  signals?: readonly Signal[];
  /** First segments of the keys to forward. Default `otlp/v1`. Nothing outside is read. */
  prefix?: string;
  /**
   * What becomes of an object that was sent: `delete`; `move` puts it under `movedPrefix`; `keep` leaves it to a
   * lifecycle rule. What cannot be sent goes to `quarantinePrefix` with each.
   */
  after: After;
  /** Most objects sent together, 1 to 10,000. Default 200. */
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
