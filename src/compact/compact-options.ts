import type { Storage } from '../server/storage.js';
import type { Gunzip } from '../wire/inflate.js';
import type { PeriodLength } from './period.js';
import type { CompactCounts } from './summary.js';

/** Which objects, and where it is noted what becomes of them: what `compact` and `erase` have in common. */
export interface BucketOptions {
  storage: Storage;
  /** First segments of the keys. Default `otlp/v1`. Nothing outside is read. */
  prefix?: string;
  /** Only objects of this project. */
  project?: string;
  /** Only objects of this environment. */
  environment?: string;
  /** Only objects whose minute ends after this. Default: all. */
  from?: Date | number;
  /** Only objects whose minute begins before this. */
  until?: Date | number;
  /** How much becomes one object. Default `hour`. The same for all who work on a bucket. */
  period?: PeriodLength;
  /** Where it is noted what is done, the same as `forward`'s and the endpoint's. Default `spandrel-state`. */
  statePrefix?: string;
  /** Where objects go that cannot be read. Default `quarantine`. */
  quarantinePrefix?: string;
  /** Requests to the store at a time, 1 to 100. Default 16. A Worker has six connections and queues the rest. */
  concurrency?: number;
  /** How long a compactor that is gone keeps others from its period, 2 to 1,440 minutes; as `forward`'s. Default 10. */
  leaseMinutes?: number;
  /** Larger objects stay as they are, bytes, 1 KiB to 1 GiB. Default 4 MiB. */
  maxObjectBytes?: number;
  /**
   * Inflates an object in place of `DecompressionStream`, which takes ten times as long for small objects in Node:
   * `(bytes, maxOutputLength) => gunzipSync(bytes, { maxOutputLength })`.
   */
  gunzip?: Gunzip;
  /** Makes gzip in place of `CompressionStream`: `(text) => gzipSync(text)`. */
  gzip?: Gzip;
  /** Epoch milliseconds. Default `Date.now`. */
  now?: () => number;
  /** Ends after the request under way. */
  signal?: AbortSignal;
}

/** Text as one gzip member. */
export type Gzip = (text: string) => Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>;

/** Options of `compact`. */
export interface CompactOptions extends BucketOptions {
  /**
   * How long a period has to be over, milliseconds, 0 to 604,800,000. Default 600,000: by then most of what pages had to
   * say of it is there; what comes later is written to it later.
   */
  graceMillis?: number;
  /** `drop`: traces and sessions of bots go, by `user_agent.synthetic.type` and `user_agent.original`. Default `keep`. */
  bots?: 'keep' | 'drop';
  /**
   * True writes `user_agent.name` and `.version`, `user_agent.os.name` and `.version`, `device.type`, and of bots
   * `user_agent.synthetic.type` beside each `user_agent.original`. Default false.
   */
  agents?: boolean;
  /** Names of attributes that go, of spans, their events and links, scopes and resources. */
  drop?: readonly string[];
  /** Names of attributes whose values become `hmac:` and 32 hexadecimal digits, the same for the same. */
  hash?: readonly string[];
  /** The secret of these: 16 characters or more. Needed with `hash`. */
  hashKey?: string;
  /**
   * For how long traces are kept after their period: `errors 90d, rest 14d`, or one of both, in hours, days or weeks.
   * `errors` are traces with a span that failed or in which something was thrown. Default: for ever.
   */
  retain?: string;
  /**
   * For how many days after its minute an object that was compacted counts as stored, 1 to 400. Default 8: pages keep
   * for 7 what they do not know to be stored.
   */
  rememberDays?: number;
  /**
   * Most objects that become one at a time, 2 to 20,000. Default 20,000. In a Worker, whose requests are counted, 200: what
   * is done by then is not done again.
   */
  maxObjects?: number;
  /**
   * Most JSON that is written as one object, bytes, 64 KiB to 16 MiB, which is what readers take. Default 16 MiB; it takes
   * some five times that in memory. In a Worker 8 MiB.
   */
  maxInflatedBytes?: number;
  /** Told of the counts after each step. The object is always the same. */
  onProgress?: (counts: Readonly<CompactCounts>) => void;
}
