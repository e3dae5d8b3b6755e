import type { Signal } from '../object-key.js';
import type { Gunzip } from './inflate.js';
import type { InspectLimits } from './inspect.js';
import type { RequestLimits } from './merge.js';
import { checkIntegers, checkOptionNames, type Ranges, refuseOption } from './option-check.js';
import { checkedHeaders, type OtlpSenderSettings, type SenderHeaders } from './otlp-sender.js';
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
  /** JSON of one request, bytes before gzip. Default 4 MiB, range 16 KiB to 64 MiB. A larger span goes alone. */
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
  /**
   * How many spans that were sent are remembered, so that they are not sent again. Default 100,000, range 0 to
   * 10,000,000, at about 150 bytes each.
   */
  dedupeSpans?: number;
  /**
   * Inflated bytes of objects held together, among which parts of a trace are merged. Default 64 MiB, range 1 MiB to
   * 1 GiB; what they take in memory is about three times that.
   */
  maxHeldBytes?: number;
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

type NumberOption = keyof InspectLimits | keyof RequestLimits | (typeof MORE_NUMBERS)[number];
const MORE_NUMBERS = [
  'timeoutMillis',
  'maxRetryMillis',
  'concurrency',
  'dedupeSpans',
  'maxHeldBytes',
] as const;

const KIB = 1024;
const MIB = 1024 * KIB;

/** `[default, least, most]`. */
export const SENDER_NUMBERS: Ranges<NumberOption> = {
  timeoutMillis: [10_000, 1, 600_000],
  maxRetryMillis: [60_000, 0, 3_600_000],
  concurrency: [2, 1, 32],
  maxRequestBytes: [4 * MIB, 16 * KIB, 64 * MIB],
  maxRequestSpans: [10_000, 1, 1_000_000],
  dedupeSpans: [100_000, 0, 10_000_000],
  maxHeldBytes: [64 * MIB, MIB, 1024 * MIB],
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

const OTHER_NAMES = ['url', 'headers', 'stamp', 'rewrite', 'badTimes', 'fetch', 'gunzip', 'now'];

/** @throws {TypeError} naming the option, what it got and what it takes. */
export function checkSenderOptions(options: BatchSenderOptions): SenderSettings {
  checkOptionNames('createBatchSender()', options, [...OTHER_NAMES, ...Object.keys(SENDER_NUMBERS)]);
  const { headers = {}, now = Date.now, badTimes } = options;
  const stamp = checkStamp(options.stamp);
  if (badTimes !== undefined && !['clamp', 'quarantine', 'keep'].includes(badTimes)) {
    refuseOption('badTimes', badTimes, '"clamp", "quarantine" or "keep"');
  }
  if (badTimes === 'clamp' && stamp === false) {
    refuseOption(
      'badTimes',
      badTimes,
      '"quarantine" or "keep" where stamp is false, as nothing is changed then',
    );
  }
  if (options.rewrite && stamp === false) {
    refuseOption('rewrite', options.rewrite, 'nothing where stamp is false, as nothing is changed then');
  }
  if (typeof now !== 'function') refuseOption('now', now, 'a function');
  for (const name of ['fetch', 'gunzip', 'rewrite'] as const) {
    const given = options[name];
    if (given !== undefined && typeof given !== 'function') refuseOption(name, given, 'a function');
  }
  checkHeaders(headers);
  return {
    ...checkIntegers(options, SENDER_NUMBERS),
    url: baseUrl(options.url),
    headers,
    stamp,
    rewrite: options.rewrite,
    badTimes: badTimes ?? (stamp === false ? 'keep' : 'clamp'),
    // The global is looked up when it is called: Workers want it called on nothing, and tests replace it.
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    gunzip: options.gunzip,
    now,
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
  if (typeof given !== 'string' || !URL.canParse(given)) refuseOption('url', shown, takes);
  const url = new URL(given);
  if (!/^https?:$/.test(url.protocol) || url.username || url.password) refuseOption('url', shown, takes);
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
    refuseOption('headers', {}, 'an object of valid header names and strings, or a function that gives one');
  }
}
