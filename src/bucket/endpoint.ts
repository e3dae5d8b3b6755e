/** The client's half of the one POST (see `protocol.ts`). What comes back is checked field by field. */
import { parseJson, toJson } from '../json.js';
import type { CheckedBucketOptions } from '../options.js';
import type { Upload } from '../pipeline/model.js';
import type { Platform } from '../platform/platform.js';
import type { PageLedger, TraceSummary } from '../protocol.js';
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

/** An upload as it comes in an answer; without `id` it is for whichever blob takes it. */
export interface IssuedUpload extends Omit<Upload, 'endsAtMillis'> {
  id: string;
  expiresInMs: number;
}

export type AnsweredWant =
  | IssuedUpload
  | { id: string; stored: true }
  | { id: string; error: { code: string } };

export type EndpointAnswer = {
  /** Whether the receipts were heard, where that comes by itself. Never rejects. */
  heard?: Promise<boolean> | undefined;
} & (
  | {
      ok: true;
      now?: number | undefined;
      uploads: AnsweredWant[];
      retryAfterMillis?: number | undefined;
      isPaused: boolean;
      isRelayOnly: boolean;
      /** Unchecked. */
      rules?: unknown;
    }
  | {
      ok: false;
      cause: string;
      retryAfterMillis?: number | undefined;
      /** The page may not ask. */
      isRefused?: boolean;
      /** The message cannot be read. */
      isMalformed?: boolean;
    }
);

export interface Endpoint {
  exchange(message: Message): Promise<EndpointAnswer>;
  /** The same without an answer, in this task. False when it could not be sent. */
  beacon?(message: Message): boolean;
  /** Where bytes go that are to be stored under this id. */
  relayUrl?(id: string): string;
  /** How they go there. */
  init?(body: BodyInit): RequestInit;
  /** Its requests have headers, which beacons do not carry. */
  readonly hasHeaders?: boolean;
}

export const PROTOCOL_VERSION = 2;
/** A beacon has no answer, so its bytes count as in flight for this long. */
const BEACON_MILLIS = 5_000;
const MAX_UPLOADS = 100;

interface EndpointDeps {
  platform: Pick<Platform, 'request' | 'beacon' | 'keepalive' | 'after'>;
  signal?: 'logs';
}

/** The endpoint at `url`. */
export function createEndpoint(
  { platform, signal }: EndpointDeps,
  url: string,
  { project, headers }: Pick<CheckedBucketOptions, 'project' | 'headers'>,
): Endpoint {
  const init = (body: BodyInit): RequestInit => {
    const common: RequestInit = { method: 'POST', body, credentials: 'same-origin' };
    try {
      if (headers) common.headers = typeof headers === 'function' ? headers() : headers;
    } catch {
      // The endpoint refuses what needs them, and is asked again.
    }
    return common;
  };
  const bodyOf = (message: Message): Blob =>
    // text/plain needs no preflight.
    new Blob([toJson({ v: PROTOCOL_VERSION, client: `spandrel/${VERSION}`, project, ...message })], {
      type: 'text/plain',
    });
  return {
    init,
    hasHeaders: headers !== undefined,
    async exchange(message) {
      const { status, body, retryAfterMillis } = await platform.request(url, init(bodyOf(message)));
      const answer = status === 200 ? parse(body) : undefined;
      if (answer?.['v'] === PROTOCOL_VERSION) {
        const config = recordOf(answer['config']);
        const now = answer['now'];
        return {
          ok: true,
          now: Number.isFinite(now) ? (now as number) : undefined,
          uploads: usable(answer['uploads']),
          isPaused: config['paused'] === true,
          isRelayOnly: answer['relay'] === true,
          retryAfterMillis,
          // It could not pass them on: the receipts come again.
          heard: answer['retell'] === true ? Promise.resolve(false) : undefined,
          rules: config['rules'] ?? [],
        };
      }
      return {
        ok: false,
        cause: status ? `HTTP ${status} ${said(body)}`.trim() : body,
        retryAfterMillis,
        isRefused: status === 401 || status === 403,
        isMalformed: status === 400 || status === 413,
      };
    },
    beacon(message) {
      const body = bodyOf(message);
      const release = platform.keepalive.reserve(body.size);
      if (release) platform.after(BEACON_MILLIS, release);
      if (!release || !headers) return release !== undefined && platform.beacon(url, body);
      void platform.request(url, { ...init(body), keepalive: true });
      return true;
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
}

/** The endpoint's own words for a refusal. */
function said(body: string): string {
  const { message = '' } = recordOf(parse(body)?.['error']);
  return String(message).slice(0, 200);
}

function parse(body: string): Record<string, unknown> | undefined {
  try {
    return recordOf(parseJson(body));
  } catch {
    return undefined;
  }
}

const recordOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

/** What of an answer's uploads can be used without surprises. */
export function usable(uploads: unknown): AnsweredWant[] {
  if (!Array.isArray(uploads)) return [];
  return uploads.slice(0, MAX_UPLOADS).filter((upload) => {
    const { id, key, stored, error, method, url, headers, expiresInMs, bytes, maxBytes } = recordOf(upload);
    if (stored === true || typeof recordOf(error)['code'] === 'string') return true;
    return (
      typeof (key ?? id) === 'string' &&
      (method === 'PUT' || method === 'POST') &&
      /^https?:\/\//.test(String(url)) &&
      typeof headers === 'object' &&
      headers !== null &&
      typeof expiresInMs === 'number' &&
      expiresInMs > 0 &&
      [bytes ?? 0, maxBytes ?? 0].every(Number.isSafeInteger)
    );
  });
}
