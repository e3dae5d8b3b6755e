/** The one POST (see `protocol.ts`) and its answer. What comes back is checked field by field. */
import { parseJson } from '../json.js';
import type { Upload } from '../pipeline/model.js';
import type { Platform } from '../platform/platform.js';
import { BLOB_PROTOCOL_VERSION } from '../protocol.js';
import type { Endpoint, Message } from './endpoint.js';

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

/** Says it, and hears what is said to it. Never rejects. */
export type Exchange = (message: Message) => Promise<EndpointAnswer>;

const MAX_UPLOADS = 100;

/** With the endpoint. */
export const exchangeWith =
  ({ url, init, bodyOf }: Endpoint, platform: Pick<Platform, 'request'>): Exchange =>
  async (message) => {
    const { status, body, retryAfterMillis } = await platform.request(url, init(bodyOf(message)));
    const answer = status === 200 ? parse(body) : undefined;
    if (answer?.['v'] === BLOB_PROTOCOL_VERSION) {
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
  };

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
