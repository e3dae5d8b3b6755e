import type { StoredObject } from '../server/storage.js';
import type { BatchResult, ObjectResult } from './batch.js';
import type { ObjectNotifier } from './forward-options.js';
import { inLanes } from './lanes.js';
import { checkIntegers, checkOptionNames, type Ranges, refuseOption } from './option-check.js';
import { type Wait, wait } from './patient-storage.js';
import { type LandedObject, type S3EventOptions, s3Event } from './s3-event.js';

/** Options of `s3Notifications`. */
export interface S3NotificationOptions extends S3EventOptions {
  /** Where events are posted to, http or https. */
  url: string;
  /** Headers of each request, such as one that lets it in. `Content-Type` is `application/json`. */
  headers?: Readonly<Record<string, string>>;
  /** Objects in one request, 1 to 100. Default 100. */
  maxRecords?: number;
  /** Until a request is given up, milliseconds, 1 to 600,000. Default 10,000. */
  timeoutMillis?: number;
  /** How often a request is made that fails in passing, 1 to 10. Default 3. */
  attempts?: number;
  /** Told of each request that was given up. It names neither URL nor header. */
  onError?: (error: unknown) => unknown;
  /** Default: the global `fetch`. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/** Tells others of objects; see {@link s3Notifications}. */
export interface S3Notifications extends ObjectNotifier {
  /** Posts, and tells how many were taken. Never rejects. Also as `createIngest`'s `onStored`. */
  tell(objects: readonly LandedObject[]): Promise<{ delivered: number; failed: number }>;
}

/** What has become of one request. */
type Outcome =
  | { status: 'taken' }
  | { status: 'retry' | 'refused'; message: string; retryAfterMillis?: number };

/** `[default, least, most]`. */
const NUMBERS: Ranges<'maxRecords' | 'timeoutMillis' | 'attempts'> = {
  maxRecords: [100, 1, 100],
  timeoutMillis: [10_000, 1, 600_000],
  attempts: [3, 1, 10],
};
const NAMES = ['url', 'headers', 'bucket', 'region', 'onError', 'fetch', 'now', ...Object.keys(NUMBERS)];
/** Requests at a time; the Collector's exporter has as many workers. */
const CONCURRENCY = 4;
const FIRST_WAIT_MILLIS = 1_000;
const MAX_WAIT_MILLIS = 30_000;

/**
 * Tells a webhook of objects in S3's words, `{"Records":[…]}`, as the Collector's S3 exporter does: 4xx is final, 5xx,
 * 429 and no answer are tried again with growing waits.
 *
 * It is what `createIngest` takes as `onStored` (`onStored: (receipts) => notifications.tell(receipts)`), and a sender
 * for `forward` and the queue consumer, which then read nothing and keep all objects.
 *
 * @throws {TypeError} naming the option, what it got and what it takes.
 * @see https://github.com/open-telemetry/opentelemetry-collector-contrib/pull/48866
 */
export function s3Notifications(options: S3NotificationOptions): S3Notifications {
  return createNotifications(options, wait);
}

/** {@link s3Notifications}, with the world as a parameter. */
export function createNotifications(options: S3NotificationOptions, waitFor: Wait): S3Notifications {
  checkOptionNames('s3Notifications()', options, NAMES);
  const { url, headers = {}, bucket, onError } = options;
  // Not shown: it may hold a password.
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    refuseOption('url', `a ${typeof url}`, 'an http(s) URL');
  }
  if (typeof bucket !== 'string' || bucket === '') refuseOption('bucket', bucket, 'the name of a bucket');
  const { maxRecords, timeoutMillis, attempts } = checkIntegers(options, NUMBERS);
  const send = options.fetch ?? ((input, init) => fetch(input, init));

  async function postOnce(body: string): Promise<Outcome> {
    try {
      const response = await send(url, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body,
        redirect: 'manual',
        signal: AbortSignal.timeout(timeoutMillis),
      });
      await response.body?.cancel().catch(() => undefined);
      if (response.ok) return { status: 'taken' };
      const message = `the webhook answered ${response.status}`;
      if (response.status < 500 && response.status !== 429) return { status: 'refused', message };
      const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
      return { status: 'retry', message, ...(seconds >= 0 ? { retryAfterMillis: seconds * 1_000 } : {}) };
    } catch {
      return { status: 'retry', message: 'the webhook did not answer' };
    }
  }

  async function post(objects: readonly LandedObject[], signal?: AbortSignal): Promise<Outcome> {
    const body = JSON.stringify(s3Event(objects, options));
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await postOnce(body);
      if (outcome.status === 'taken') return outcome;
      const pauseMillis =
        outcome.status === 'retry'
          ? (outcome.retryAfterMillis ?? Math.min(FIRST_WAIT_MILLIS * 2 ** (attempt - 1), MAX_WAIT_MILLIS))
          : Number.POSITIVE_INFINITY;
      if (attempt >= attempts || pauseMillis > MAX_WAIT_MILLIS || signal?.aborted) {
        report(new Error(`spandrel/forward: ${outcome.message}; ${objects.length} objects were not told of`));
        return outcome;
      }
      await waitFor(pauseMillis, signal);
    }
  }

  function report(error: Error): void {
    (async () => onError?.(error))().catch(() => undefined);
  }

  /** Outcomes of `objects`, by where their request begins. */
  async function postAll<T extends LandedObject>(objects: readonly T[], signal?: AbortSignal) {
    const told: { objects: readonly T[]; outcome: Outcome }[] = [];
    const starts = Array.from(
      { length: Math.ceil(objects.length / maxRecords) },
      (_, index) => index * maxRecords,
    );
    await inLanes(starts, CONCURRENCY, async (start) => {
      const some = objects.slice(start, start + maxRecords);
      told.push({ objects: some, outcome: await post(some, signal) });
    });
    return told;
  }

  return {
    async tell(objects) {
      const told = await postAll(objects);
      const taken = told.filter(({ outcome }) => outcome.status === 'taken');
      const delivered = taken.reduce((sum, { objects: some }) => sum + some.length, 0);
      return { delivered, failed: objects.length - delivered };
    },

    async notify(objects: readonly StoredObject[], signal?: AbortSignal): Promise<BatchResult> {
      const told = await postAll(objects, signal);
      const results = told.flatMap(({ objects: some, outcome }) =>
        some.map(
          ({ key }): ObjectResult => ({
            ...{ key, spanCount: 0, duplicateCount: 0, rejectedCount: 0 },
            // Nothing is known of the object, so none is put aside for what the webhook says.
            ...(outcome.status === 'taken'
              ? { status: 'sent' }
              : { status: 'retry', message: outcome.message }),
          }),
        ),
      );
      const asked = told.flatMap(({ outcome }) =>
        outcome.status === 'retry' && outcome.retryAfterMillis !== undefined
          ? [outcome.retryAfterMillis]
          : [],
      );
      return {
        ...{ results, requestCount: told.length, byteCount: 0 },
        ...(asked.length > 0 ? { retryAfterMillis: Math.max(...asked) } : {}),
      };
    },
  };
}
