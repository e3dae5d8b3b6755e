/** The client's half of the one POST (see `protocol.ts`). What comes back is checked field by field. */

import { parseJson, toJson } from '../json.js';
import type { Endpoint, Message } from '../pipeline/notify.js';
import type { Platform } from '../platform/platform.js';
import {
  type ExchangeResponse,
  PROTOCOL_VERSION,
  type PresignedUpload,
  type StoredReceipt,
} from '../protocol.js';
import { VERSION } from '../version.js';
import type { DestinationDeps, Tools } from './destination.js';

/** A user's own functions in place of the endpoint. */
export interface BucketFunctions {
  /**
   * Issues presigned uploads: `want` fresh ones, and one with the same key and token for each token in `renew`.
   * `sizes` are the lengths in bytes that they are wanted for: those in `renew` first, then the fresh ones. Whoever
   * signs a length says so in the upload's `bytes`, or `maxBytes`; others need not look at them. May reject; it is
   * asked again, later and later, as it is when it takes longer than 30 s.
   */
  requestUploads(
    request: { want: number; renew: string[]; sizes: number[] },
    tools: Tools,
  ): Promise<PresignedUpload[]>;
  /**
   * Hears of stored objects. May reject; the receipts then come again, later and later. Nothing waits for it, and it is
   * called once at a time.
   */
  notify?(receipts: StoredReceipt[], tools: Tools): Promise<void>;
}

/** So long may a function of the user's take, as a request of ours may. */
const FUNCTION_MILLIS = 30_000;
/** A beacon has no answer, so its bytes count as in flight for this long. */
const BEACON_MILLIS = 5_000;
const MAX_UPLOADS = 100;
/** The endpoint takes no longer token, and refuses all that comes with one. */
const MAX_TOKEN_CHARS = 1_024;

/** The endpoint at `url`. */
export function createEndpoint(platform: Platform, url: string, project: string | undefined): Endpoint {
  const isToken = ({ length }: string): boolean => length <= MAX_TOKEN_CHARS;
  const bodyOf = (message: Message): Blob => {
    const said = {
      ...{ v: PROTOCOL_VERSION, client: `spandrel/${VERSION}`, project, ...message },
      // These may have come from the database, where anybody on this origin may write.
      ...{ confirm: message.confirm.filter(isToken), renew: message.renew.filter(isToken) },
      sizes: message.sizes.filter((_, at) => isToken(message.renew[at] ?? '')),
    };
    // text/plain needs no preflight.
    return new Blob([toJson(said)], { type: 'text/plain' });
  };

  return {
    confirms: true,
    async exchange(message) {
      const body = bodyOf(message);
      const release = platform.keepalive.reserve(body.size);
      const answer = await platform.request(url, {
        method: 'POST',
        body,
        credentials: 'same-origin',
        keepalive: release !== undefined,
      });
      release?.();
      const { status, retryAfterMillis } = answer;
      const response = status === 200 ? parse<ExchangeResponse>(answer.body) : undefined;
      if (response?.v === PROTOCOL_VERSION) {
        return {
          ok: true,
          uploads: usable(response.uploads),
          confirmed: answersIn(response.confirmed),
          paused: response.config?.paused === true,
          rules: response.config?.rules ?? [],
          relay: response.relay === true,
        };
      }
      const cause = status ? `HTTP ${status}` : answer.body;
      return {
        ok: false,
        cause,
        retryAfterMillis,
        refused: status === 401 || status === 403,
        malformed: status === 400 || status === 413,
      };
    },
    tell(message) {
      const body = bodyOf(message);
      const release = platform.keepalive.reserve(body.size);
      if (release) platform.after(BEACON_MILLIS, release);
      return release !== undefined && platform.beacon(url, body);
    },
    relayUrl(token, blobId) {
      const query = new URLSearchParams({ relay: token ?? '' });
      if (!token) query.set('blob', blobId);
      if (project) query.set('project', project);
      return `${url}${url.includes('?') ? '&' : '?'}${query}`;
    },
  };
}

/** An endpoint made of the user's functions. */
export function functionsEndpoint(
  functions: BucketFunctions,
  { platform, diagnostics }: Pick<DestinationDeps, 'platform' | 'diagnostics'>,
): Endpoint {
  const { requests } = diagnostics.totals;
  const tools: Tools = { fetch: platform.fetch };
  const call = <T>(task: () => Promise<T> | T): Promise<T> =>
    new Promise((resolve, reject) => {
      const late = (): void => reject(new Error(`no answer in ${FUNCTION_MILLIS} ms`));
      const stop = platform.after(FUNCTION_MILLIS, late);
      new Promise<T>((done) => done(diagnostics.theirs(task))).finally(stop).then(resolve, reject);
    });

  const tell = async (stored: StoredReceipt[]): Promise<boolean> => {
    requests.notifies++;
    try {
      await call(() => functions.notify?.(stored, tools));
      return true;
    } catch (error) {
      requests.notifyFailures++;
      diagnostics.trouble('notify', String(error));
      return false;
    }
  };

  return {
    confirms: false,
    async exchange({ want, renew, sizes, stored }) {
      const heard = stored.length && functions.notify ? tell(stored) : undefined;
      try {
        const uploads =
          want || renew.length
            ? await call(() => functions.requestUploads({ want, renew, sizes }, tools))
            : [];
        return { ok: true, uploads: usable(uploads), confirmed: [], paused: false, heard };
      } catch (error) {
        return { ok: false, cause: String(error), heard };
      }
    },
  };
}

/** JSON that may be anything; undefined when it is none. */
export function parse<T>(body: string): Partial<T> | undefined {
  try {
    return parseJson(body) ?? undefined;
  } catch {
    return undefined;
  }
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';

/** What of an answer's uploads can be used without surprises. */
export function usable(uploads: unknown): PresignedUpload[] {
  if (!Array.isArray(uploads)) return [];
  return uploads.slice(0, MAX_UPLOADS).filter((upload: Partial<PresignedUpload> | null | undefined) => {
    const { method, url, headers, key, token, expiresInMs, bytes } = upload ?? {};
    return (
      (method === 'PUT' || method === 'POST') &&
      /^https?:\/\//.test(String(url)) &&
      typeof headers === 'object' &&
      isText(key) &&
      isText(token) &&
      (expiresInMs as number) > 0 &&
      Number.isSafeInteger(bytes ?? 0)
    );
  });
}

/** What of an answer's `confirmed` is one. */
function answersIn(confirmed: unknown): ExchangeResponse['confirmed'] {
  if (!Array.isArray(confirmed)) return [];
  return confirmed.filter((answer) => isText(answer?.token) && typeof answer.stored === 'boolean');
}
