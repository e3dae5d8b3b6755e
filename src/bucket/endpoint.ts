/** The endpoint as a page speaks to it, by the one POST and the relay: see `protocol.ts`. */
import { toJson } from '../json.js';
import type { CheckedBucketOptions } from '../options.js';
import type { HttpAnswer, Platform } from '../platform/platform.js';
import { BLOB_PROTOCOL_VERSION, type PageLedger, type TraceSummary } from '../protocol.js';
import { VERSION } from '../version.js';

export interface Want {
  id: string;
  bytes: number;
  again?: true;
  /** What it holds, where that is not traces. */
  signal?: 'logs';
  /** Of an upload that its issuer named otherwise. */
  key?: string;
  /** Of the object that a client of protocol 1 may have made of it. */
  token?: string;
}

export interface Receipt {
  id: string;
  key?: string;
  page: string;
  seq: number;
  /** 0 of logs. */
  spanCount: number;
  signal?: 'logs';
  logRecordCount?: number;
  bytes: number;
  /** The page left before the store answered. */
  unconfirmed?: true;
  traces: TraceSummary[];
}

/** What an earlier page lost, and could not say. */
export interface LossReport {
  /** Of no object. */
  id: string;
  lost: Record<string, number>;
}

export interface Message {
  wants: Want[];
  stored: Receipt[];
  lost: Record<string, number>;
  page?: PageLedger;
}

/** The endpoint at a URL. */
export interface Endpoint {
  readonly url: string;
  /** Its requests have headers, which beacons do not carry. */
  readonly hasHeaders: boolean;
  /** How bytes go there. */
  init(body: BodyInit): RequestInit;
  bodyOf(message: Message): Blob;
  /** By a request that may outlive the page, begun in this task. False where there is no room beside the page's own. */
  outlive(url: string, body: BodyInit, bytes: number): boolean;
  /** The message without an answer, in this task. False when it could not be sent. */
  beacon(message: Message): boolean;
  /** Where bytes go that are to be stored under this id. */
  relayUrl(id: string): string;
}

/** A beacon has no answer, so its bytes count as in flight for this long. */
const BEACON_MILLIS = 5_000;

interface EndpointDeps {
  platform: Pick<Platform, 'request' | 'beacon' | 'keepalive' | 'after'>;
  signal?: 'logs';
}

export function createEndpoint(
  { platform, signal }: EndpointDeps,
  { endpoint, project, headers }: CheckedBucketOptions,
): Endpoint {
  const url = endpoint as string;
  const self: Endpoint = {
    url,
    hasHeaders: headers !== undefined,
    init(body) {
      const common: RequestInit = { method: 'POST', body, credentials: 'same-origin' };
      try {
        if (headers) common.headers = typeof headers === 'function' ? headers() : headers;
      } catch {
        // The endpoint refuses what needs them, and is asked again.
      }
      return common;
    },
    bodyOf: (message) =>
      // text/plain needs no preflight.
      new Blob([toJson({ v: BLOB_PROTOCOL_VERSION, client: `spandrel/${VERSION}`, project, ...message })], {
        type: 'text/plain',
      }),
    outlive(to, body, bytes) {
      const release = platform.keepalive.reserve(bytes);
      if (!release) return false;
      platform.after(BEACON_MILLIS, release);
      if (!headers) return platform.beacon(to, body);
      void platform.request(to, { ...self.init(body), keepalive: true });
      return true;
    },
    beacon(message) {
      const body = self.bodyOf(message);
      return self.outlive(url, body, body.size);
    },
    relayUrl(id) {
      const query = new URLSearchParams({
        relay: id,
        ...(project && { project }),
        ...(signal && { signal }),
      });
      return `${url}${url.includes('?') ? '&' : '?'}${query}`;
    },
  };
  return self;
}

/** What a store's or the relay's answer means. */
export type Meaning =
  | 'stored'
  /** There is an object under the name already: ours, as names are ours for life. */
  | 'exists'
  /** The permission is not valid (any more). */
  | 'expired'
  | 'later'
  | 'never';

/** The statuses that may pass, and the codes under which stores report a broken transfer as 400. */
const TRANSIENT = /^(0|404|408|409|425|429|5\d\d|400.*(RequestTimeout|IncompleteBody|ClientDisconnect))/s;
const EXPIRED = /^(401|403|400.*Expired)/s;
/** Azure Blob says so by 409, where S3's 409 is a write in progress. */
const EXISTS = /^(412|409.*(BlobAlreadyExists|PreconditionFailed))/s;

/**
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 * @see https://developers.cloudflare.com/r2/api/error-codes/
 * @see https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
 */
export function meaningOf({ status, body }: Pick<HttpAnswer, 'status' | 'body'>): Meaning {
  const seen = status + body;
  if (status >= 200 && status < 300) return 'stored';
  if (EXISTS.test(seen)) return 'exists';
  if (EXPIRED.test(seen)) return 'expired';
  return TRANSIENT.test(seen) ? 'later' : 'never';
}
