import type { Signal } from '../object-key.js';
import type { Gunzip } from '../wire/inflate.js';
import type { InspectLimits } from '../wire/inspect.js';
import type { Ranges } from '../wire/option-check.js';
import { check } from './option-check.js';
import { checkedHeaders, type OtlpSenderSettings, type SenderHeaders } from './otlp-sender.js';
import type { RequestLimits } from './parts.js';
import { checkStamp, type Stamp } from './stamp.js';
import type { BadTimes } from './times.js';

/** Options of `createBatchSender()`. */
export interface BatchSenderOptions {
  /**
   * The OTLP/HTTP endpoint. `/v1/traces` is appended to its path unless that ends so already; logs go to the same with
   * `/v1/logs`.
   */
  url: string;
  /**
   * Headers of each request, or a function that gives them, also asynchronously, called for each attempt.
   * `Content-Type` and `Content-Encoding` are ours.
   */
  headers?: SenderHeaders;
  /** How long one attempt may take, milliseconds. Default 10,000, range 1 to 600,000. */
  timeoutMillis?: number;
  /**
   * How long a request is tried again after its first failure, milliseconds. Default 60,000, range 0 to 3,600,000. When
   * the endpoint asks for more patience than is left, `send` gives up at once.
   */
  maxRetryMillis?: number;
  /** Requests at once. Default 2, range 1 to 32. */
  concurrency?: number;
  /** JSON of one request, bytes before gzip. Default 4 MiB, range 16 KiB to 64 MiB. A larger object is divided by spans. */
  maxRequestBytes?: number;
  /** Spans of one request. Default 10,000, range 1 to 1,000,000. */
  maxRequestSpans?: number;
  /** What is added to each resource that only the server may say. Default true. See {@link Stamp}. */
  stamp?: Stamp;
  /**
   * Changes a request of traces in place before it is stamped: `(request, key) => …`. Objects whose request it fails on
   * stay where they are. Logs go on as they are. Not with `stamp: false`, by which objects go on as they are stored.
   */
  rewrite?: (request: object, key: string) => unknown;
  /**
   * Spans that start or end before the year 2000 or more than a day from now, or end before they start: `clamp`, which
   * needs `stamp`, marks them; `quarantine` puts their object aside; `keep`. Default `clamp`, without `stamp` `keep`.
   */
  badTimes?: BadTimes;
  /** An object, bytes. Default 4 MiB, range 1 KiB to 64 MiB. */
  maxObjectBytes?: number;
  /** What an object inflates to, bytes. Default 16 MiB, range 1 KiB to 256 MiB. JSON made for it takes twenty times that. */
  maxInflatedBytes?: number;
  /** Inflated bytes per byte. Default 100, range 1 to 1,100; deflate can reach 1,032. */
  maxInflateRatio?: number;
  /** Spans in an object. Default 50,000, range 1 to 1,000,000. */
  maxSpans?: number;
  /** Attributes in one list. Default 1,024, range 1 to 100,000. */
  maxAttributes?: number;
  /** Events of a span; also its links. Default 1,024, range 1 to 100,000. */
  maxEvents?: number;
  /** Characters of any string. Default 131,072, range 256 to 16,777,216. */
  maxTextLength?: number;
  /** Arrays and maps within one another in an attribute. Default 16, range 1 to 30, which is what protobuf can read. */
  maxDepth?: number;
  /** Sends requests; for a service binding or a proxy. Default the global. */
  fetch?: typeof fetch;
  /**
   * Inflates an object in place of `DecompressionStream`, which takes ten times as long for small objects in Node:
   * `(bytes, maxOutputLength) => gunzipSync(bytes, { maxOutputLength })`.
   */
  gunzip?: Gunzip;
  /** Epoch milliseconds. Default `Date.now`. */
  now?: () => number;
}

type NumberOption =
  | keyof InspectLimits
  | keyof RequestLimits
  | 'timeoutMillis'
  | 'maxRetryMillis'
  | 'concurrency';

const KIB = 1024;
const MIB = 1024 * KIB;

/** `[default, least, most]`. */
export const SENDER_NUMBERS: Ranges<NumberOption> = {
  timeoutMillis: [10_000, 1, 600_000],
  maxRetryMillis: [60_000, 0, 3_600_000],
  concurrency: [2, 1, 32],
  maxRequestBytes: [4 * MIB, 16 * KIB, 64 * MIB],
  maxRequestSpans: [10_000, 1, 1_000_000],
  maxObjectBytes: [4 * MIB, KIB, 64 * MIB],
  maxInflatedBytes: [16 * MIB, KIB, 256 * MIB],
  maxInflateRatio: [100, 1, 1100],
  maxSpans: [50_000, 1, 1_000_000],
  maxAttributes: [1_024, 1, 100_000],
  maxEvents: [1_024, 1, 100_000],
  maxTextLength: [131_072, 256, 16_777_216],
  maxDepth: [16, 1, 30],
};

/** {@link BatchSenderOptions}, checked. */
export interface SenderSettings extends Record<NumberOption, number>, OtlpSenderSettings {
  stamp: Stamp;
  rewrite: BatchSenderOptions['rewrite'];
  badTimes: BadTimes;
  fetch: typeof fetch;
  gunzip: Gunzip | undefined;
  now: () => number;
}

const NAMES = [
  ...['url', 'headers', 'stamp', 'rewrite', 'badTimes', 'fetch', 'gunzip', 'now'],
  ...Object.keys(SENDER_NUMBERS),
];
const GONE = {
  dedupeSpans: 'objects go on as they are; compact() leaves out spans that are there twice',
  maxHeldBytes: 'what is held is maxRequestBytes for each of concurrency',
};
const NOTHING_CHANGES = 'where stamp is false, as nothing is changed then';

/** @throws {TypeError} naming the option, what it got and what it takes. */
export function checkSenderOptions(options: BatchSenderOptions): SenderSettings {
  check.names('createBatchSender()', options, NAMES, GONE);
  const { headers = {}, now = Date.now, rewrite, gunzip } = options;
  const stamp = checkStamp(options.stamp);
  const { badTimes = stamp === false ? 'keep' : 'clamp' } = options;
  if (!['clamp', 'quarantine', 'keep'].includes(badTimes)) {
    check.refuse('badTimes', badTimes, '"clamp", "quarantine" or "keep"');
  }
  if (stamp === false) {
    if (badTimes === 'clamp') check.refuse('badTimes', badTimes, `"quarantine" or "keep" ${NOTHING_CHANGES}`);
    if (rewrite) check.refuse('rewrite', rewrite, `nothing ${NOTHING_CHANGES}`);
  }
  check.functions(options, ['fetch', 'gunzip', 'rewrite', 'now']);
  checkHeaders(headers);
  return {
    ...check.integers(options, SENDER_NUMBERS),
    ...{ url: baseUrl(options.url), headers, stamp, rewrite, badTimes, gunzip, now },
    // The global is looked up when it is called: Workers want it called on nothing, and tests replace it.
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
  };
}

/** Where the requests of a signal go. */
export function signalUrl(base: string, signal: Signal): string {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/${signal}`;
  return url.href;
}

function baseUrl(given: unknown): string {
  const takes = 'an absolute http(s) URL without credentials; those go into headers';
  // It may hold credentials, so it is not shown.
  const shown = `a ${typeof given}`;
  if (typeof given !== 'string' || !URL.canParse(given)) check.refuse('url', shown, takes);
  const url = new URL(given);
  if (!/^https?:$/.test(url.protocol) || url.username || url.password) check.refuse('url', shown, takes);
  url.pathname = url.pathname.replace(/\/+$/, '').replace(/\/v1\/(traces|logs)$/, '');
  url.hash = '';
  return url.href;
}

function checkHeaders(headers: unknown): void {
  if (typeof headers === 'function') return;
  try {
    checkedHeaders(headers);
  } catch {
    // Their values are secrets.
    check.refuse('headers', {}, 'an object of valid header names and strings, or a function that gives one');
  }
}
