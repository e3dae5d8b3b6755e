import type { ClientConfig, PageLedger, StoredReceipt } from '../protocol.js';
import type { IngestLogEntry } from './log.js';
import type { AllowedOrigins } from './origin.js';
import type { OtlpOptions } from './otlp/settings.js';
import type { QuotaOptions } from './quota.js';
import type { Storage } from './storage.js';

/** Who is asking, for the hooks of {@link IngestOptions}. */
export interface IngestContext {
  /** The project's name, as in the key. */
  project: string;
  /** The value of `Origin`, if there was one. */
  origin?: string;
  kind: 'exchange' | 'relay' | 'otlp';
  /** What an exchange's client calls itself, such as `spandrel/0.1.0`; hearsay, at most 100 characters. */
  client?: string;
  /** UUID of the load of the page that an exchange comes from; hearsay. */
  page?: string;
}

/** One project behind the endpoint. */
export interface ProjectOptions {
  /** The project's segment of the object key. Two public keys may share a name, while one replaces the other. */
  name: string;
  /** Instead of the endpoint's `allowedOrigins`. */
  allowedOrigins?: AllowedOrigins;
}

/** Options of `createIngest`. */
export interface IngestOptions {
  /** Where objects go: `s3()`, `r2()`, or anything of that shape. */
  storage: Storage;
  /**
   * Needed for clients of protocol 1, which are those of 0.1; others need none. Signs tokens, and names the subjects of a
   * quota; at least 32 characters. For rotation an array, newest first: the first signs and all verify. The last one,
   * which is the oldest, also decides the keys of relays without a token, so that a beacon sent twice across a rotation
   * is still one object. Keep a retired secret for `tokenMaxAgeSeconds`. Default: none, and protocol 1 is refused.
   */
  secret?: string | readonly string[];
  /** Pages that may call. `[]` leaves only the endpoint's own origin. */
  allowedOrigins: AllowedOrigins;
  /** True takes requests without `Origin`, which browsers never send. Default false, unless all origins may. */
  allowMissingOrigin?: boolean;
  /**
   * Public project keys: an array, where each key is also the name, or an object from key to options. When given,
   * a request must name one of them. Default: one project, and what requests say about it is not looked at.
   */
  projects?: readonly string[] | Readonly<Record<string, ProjectOptions>>;
  /** Name of the one project where `projects` is not given. Default `default`. */
  project?: string;
  /** First segments of every object key, at most 200 characters. Default `otlp/v1`. */
  prefix?: string;
  /** Segment of every object key. Default `production`. */
  environment?: string;
  /**
   * Lifetime of a presigned URL, seconds, 1 to 604,800. Default 900. Longer ones are renewed less often and are
   * worth more to whoever steals them.
   */
  urlExpirySeconds?: number;
  /**
   * How long a token can be used, seconds, 60 to 7,776,000. Default 604,800, which is how long clients keep what
   * they could not send.
   */
  tokenMaxAgeSeconds?: number;
  /** Most uploads in one answer, 0 to 100; a client that wants more gets these. Default 8. */
  maxUploads?: number;
  /**
   * Largest object that a presigned upload may put, bytes, 1,024 to 1 GiB. It is signed: as a range where the store has
   * those, else as the exact length that the client asks for. Default 1 MiB: clients make objects of some 48 KiB, and
   * what a single trace makes more is seldom a tenth of this; what is larger is relayed or counted as lost. False signs
   * no length, and whoever holds a URL may then put as much as the store takes, 5 GiB at R2.
   */
  maxUploadBytes?: number | false;
  /**
   * Where `forward` notes what it is done with, so that a page is not asked for an object again that was forwarded and
   * deleted: one or two more questions to the store for each folder of objects that are not there. False: nothing is
   * forwarded, or it all stays in the bucket. Default `spandrel-state`, as `forward`'s.
   */
  statePrefix?: string | false;
  /** Largest exchange, bytes, 1,024 to 16 MiB. Default 64 KiB. */
  maxBodyBytes?: number;
  /**
   * How long a request's body may take to arrive, milliseconds, 100 to 300,000. Default 30,000, after which clients
   * have given up. What trickles is cut off (`too_slow`).
   */
  bodyTimeoutMillis?: number;
  /** Largest relayed gzip, bytes, 1,024 to 64 MiB. Default 256 KiB. It is held in memory. */
  maxRelayBytes?: number;
  /**
   * Most that a relayed gzip may inflate to, bytes, 1,024 to 256 MiB. Default 4 MiB, which is ten times what clients
   * relay. It is looked through and not kept, at some 20 ms of CPU a MiB at worst.
   */
  maxInflatedBytes?: number;
  /** Most inflated bytes per relayed gzip byte, 1 to 1,100. Default 100; deflate can reach 1,032. */
  maxInflateRatio?: number;
  /**
   * Told of objects that clients say they stored. With protocol 1 their tokens are genuine and all else is hearsay; with
   * protocol 2 `token` is empty, the key is that of the blob's id, and all of it is hearsay. May be
   * told of one object several times, and by another page than the one in `receipt.page`, which may be gone. A relay
   * is not told here: the client sends its receipt like any other.
   *
   * When it throws, rejects, or takes over `hookTimeoutMillis`, it has not taken them: `onError` is told, and they come
   * again. With protocol 1 the answer is then a 500, nothing is issued, and the client says all of it again, later and
   * later; with protocol 2 all else goes on. A hook that wants no more than to
   * be told catches what it throws. With `waitUntil` nobody waits for it, and what it failed to take is gone.
   */
  onStored?: (receipts: StoredReceipt[], context: IngestContext) => unknown;
  /**
   * Told what a page says has become of all its spans, each time that it asks for something. `createLedger` makes
   * an account of it. May come late: requests of a leaving page overtake one another.
   */
  onPage?: (ledger: PageLedger, context: IngestContext) => unknown;
  /**
   * Told of spans that clients say they lost since they last got an answer, by reason. May be told twice of one
   * loss, where the answer did not arrive; `dropped` of the page's ledger has it once.
   */
  onLost?: (lost: Record<string, number>, context: IngestContext) => unknown;
  /** Told of every exception behind a 5xx answer, and of every failure of a hook. What it does is not waited for. */
  onError?: (error: unknown) => unknown;
  /**
   * Told once of each request, when its answer is ready: what was asked, given and refused, and how long it took.
   * There is no URL, token, address or secret in it. What it does is not waited for.
   */
  onLog?: (entry: IngestLogEntry) => unknown;
  /**
   * Asked before anything is signed or stored. The request's body may be gone already. When it throws, or takes over
   * `hookTimeoutMillis`, the answer is a 500, and clients come again.
   */
  rateLimit?: (request: Request, context: IngestContext) => RateLimitAnswer | Promise<RateLimitAnswer>;
  /**
   * What clients are told to do. Paused clients get no fresh uploads. `rules` take the place of the pages' own
   * `sampleRate`: a trace is kept when a rule matches attributes of its first span on the page and wins, and is not
   * sampled when none does. Rules that are none are left out, and `onError` is told, at each exchange. Clients that
   * send anything hear of a change with it; all others within an hour. Default: not paused, no rules.
   *
   * Asked at each exchange, so keep the answer where it is dear. When it fails, or takes over `hookTimeoutMillis`, the
   * last answer for the same project, origin and client is given again, so that a kill switch holds.
   */
  config?: (context: IngestContext) => ClientConfig | Promise<ClientConfig>;
  /**
   * Takes OTLP/HTTP of servers, Collectors and platforms, at paths that end in `/v1/traces` and `/v1/logs`, into the same
   * bucket: JSON and protobuf, gzip or not, at most `maxInflatedBytes`, with a key of yours as bearer. `onStored` is
   * told of each object. Default: none is taken.
   */
  otlp?: OtlpOptions;
  /** How much may be handed out in an hour, by page, project or a subject of your own. Default: no bound. */
  quota?: QuotaOptions;
  /**
   * How long the answer waits for `rateLimit`, `config`, and without `waitUntil` for `onStored`, `onPage` and
   * `onLost`, milliseconds, 10 to 25,000. Default 3,000. What takes longer has failed: `onError` is told.
   */
  hookTimeoutMillis?: number;
  /** False sends no `Server-Timing`. Default true: milliseconds of `quota`, `sign`, `store` and `total`. */
  serverTiming?: boolean;
  /** Takes over the promise of `onStored`, `onPage` and `onLost`; without it the answer waits for them. */
  waitUntil?: (promise: Promise<unknown>) => void;
  /** Epoch milliseconds. Default `Date.now`. */
  now?: () => number;
}

/** True lets the request pass. */
export type RateLimitAnswer = true | { retryAfterSeconds: number };
