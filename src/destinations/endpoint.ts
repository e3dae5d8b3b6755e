/** The client's half of the one POST (see `protocol.ts`). What comes back is checked field by field. */

import { parseRetryAfter, readBounded } from '../platform/http.js';
import type { Platform } from '../platform/platform.js';
import {
  type ExchangeRequest,
  type ExchangeResponse,
  PROTOCOL_VERSION,
  type PresignedUpload,
  type RelayResponse,
  type StoredReceipt,
} from '../protocol.js';

/** What is to be said and asked in one exchange. */
export type Message = Omit<ExchangeRequest, 'v' | 'project'>;

export type Answer =
  | {
      status: 'answered';
      uploads: PresignedUpload[];
      confirmed: Map<string, boolean>;
      paused: boolean;
      ignored: number;
    }
  /** `refused`: 401 or 403; asking again soon is no use. */
  | {
      status: 'failed';
      cause: string;
      retryAfterMillis?: number;
      refused?: true;
    };

export interface Endpoint {
  /** Says and asks; survives the page where the keepalive budget has room. Never rejects. */
  exchange(message: Message): Promise<Answer>;
  /** Says, without an answer. True when the browser has taken it. */
  tell?(message: Message): boolean;
  /** Where the bytes of a blob can be posted instead of the bucket. */
  relayUrl?(token: string | undefined, blobId: string): string;
}

/** A user's own functions in place of the endpoint. */
export interface BucketFunctions {
  /**
   * Issues presigned uploads: `want` fresh ones, and one for the same key for each token in `renew`.
   * May reject; it is asked again, later and later.
   */
  requestUploads(request: { want: number; renew: string[] }): Promise<PresignedUpload[]>;
  /** Hears of stored objects. May reject; the receipts then come again. */
  notify?(receipts: StoredReceipt[]): Promise<void>;
}

const EXCHANGE_TIMEOUT_MILLIS = 15_000;
/** A beacon has no answer, so its bytes count as in flight for this long. */
const BEACON_MILLIS = 5_000;
/** A hundred uploads of 2 KB each; more is not an answer of ours. */
const MAX_ANSWER_BYTES = 256 * 1024;
const MAX_UPLOADS = 100;
const MAX_LIFETIME_MILLIS = 7 * 24 * 60 * 60_000;

/** The endpoint at `url`. */
export function createEndpoint(platform: Platform, url: string, project: string | undefined): Endpoint {
  const bodyOf = (message: Message): Uint8Array<ArrayBuffer> =>
    new TextEncoder().encode(
      JSON.stringify({
        v: PROTOCOL_VERSION,
        ...(project === undefined ? {} : { project }),
        ...message,
      }),
    );
  // text/plain needs no preflight.
  const asText = (body: Uint8Array<ArrayBuffer>): Blob => new Blob([body], { type: 'text/plain' });

  return {
    async exchange(message) {
      const body = bodyOf(message);
      const release = platform.keepalive.reserve(body.length);
      const abort = new AbortController();
      const stopTimer = platform.after(EXCHANGE_TIMEOUT_MILLIS, () => abort.abort());
      try {
        const response = await platform.fetch(url, {
          method: 'POST',
          body: asText(body),
          credentials: 'same-origin',
          cache: 'no-store',
          keepalive: release !== undefined,
          signal: abort.signal,
        });
        const answer = await readBounded(response, MAX_ANSWER_BYTES);
        if (response.ok) return parseAnswer(answer);
        const retryAfterMillis = parseRetryAfter(response.headers, platform.now());
        return {
          status: 'failed',
          cause: `HTTP ${response.status}`,
          ...(retryAfterMillis === undefined ? {} : { retryAfterMillis }),
          ...(response.status === 401 || response.status === 403 ? { refused: true } : {}),
        };
      } catch (error) {
        return { status: 'failed', cause: String(error) };
      } finally {
        stopTimer();
        release?.();
      }
    },
    tell(message) {
      const body = bodyOf(message);
      const release = platform.keepalive.reserve(body.length);
      if (release) platform.after(BEACON_MILLIS, release);
      return release !== undefined && platform.beacon(url, asText(body));
    },
    relayUrl(token, blobId) {
      const query = new URLSearchParams({ relay: token ?? '' });
      if (token === undefined) query.set('blob', blobId);
      if (project !== undefined) query.set('project', project);
      return `${url}${url.includes('?') ? '&' : '?'}${query}`;
    },
  };
}

/** An endpoint made of the user's functions. */
export function functionsEndpoint(functions: BucketFunctions): Endpoint {
  return {
    async exchange({ want, renew, stored }) {
      try {
        if (stored.length) await functions.notify?.(stored);
        const uploads = want || renew.length ? await functions.requestUploads({ want, renew }) : [];
        return {
          status: 'answered',
          confirmed: new Map(),
          paused: false,
          ...checkUploads(uploads),
        };
      } catch (error) {
        return { status: 'failed', cause: String(error) };
      }
    },
  };
}

/** @throws when the body is not JSON. */
function parseAnswer(body: string): Answer {
  const answer = JSON.parse(body) as Partial<ExchangeResponse> | null;
  if (answer?.v !== PROTOCOL_VERSION) return { status: 'failed', cause: 'not an answer of this protocol' };
  const confirmed = new Map<string, boolean>();
  for (const entry of arrayOf(answer.confirmed).slice(0, MAX_UPLOADS)) {
    if (typeof entry?.token === 'string') confirmed.set(entry.token, entry.stored === true);
  }
  return {
    status: 'answered',
    confirmed,
    paused: answer.config?.paused === true,
    ...checkUploads(answer.uploads),
  };
}

/** Reads the answer to a relay; undefined when it is none. */
export function parseRelayed(body: string): { key: string; token: string } | undefined {
  try {
    const { key, token } = JSON.parse(body) as RelayResponse;
    return typeof key === 'string' && typeof token === 'string' ? { key, token } : undefined;
  } catch {
    return undefined;
  }
}

const arrayOf = <T>(value: T[] | undefined): T[] => (Array.isArray(value) ? value : []);

function checkUploads(value: PresignedUpload[] | undefined): {
  uploads: PresignedUpload[];
  ignored: number;
} {
  const offered = arrayOf(value);
  const uploads = offered.slice(0, MAX_UPLOADS).filter(isPresignedUpload);
  return { uploads, ignored: offered.length - uploads.length };
}

const isText = (value: unknown, maxLength: number): boolean =>
  typeof value === 'string' && value.length > 0 && value.length <= maxLength;

const isTextRecord = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  Object.values(value).every((text) => typeof text === 'string');

/** Whether `value`, which came from outside, can be used as a presigned upload without surprises. */
export function isPresignedUpload(value: unknown): value is PresignedUpload {
  const upload = value as Partial<PresignedUpload> | null;
  return (
    (upload?.method === 'PUT' || upload?.method === 'POST') &&
    isText(upload.url, 8_192) &&
    /^https?:\/\//.test(upload.url as string) &&
    isTextRecord(upload.headers) &&
    (upload.fields === undefined || isTextRecord(upload.fields)) &&
    isText(upload.key, 1_024) &&
    isText(upload.token, 2_048) &&
    typeof upload.expiresInMs === 'number' &&
    upload.expiresInMs > 0 &&
    upload.expiresInMs <= MAX_LIFETIME_MILLIS
  );
}
