/** Brings one blob into the bucket: one function, read from top to bottom. */

import type { Diagnostics } from '../diagnostics/diagnostics.js';
import type { Outcome, TraceBlob, Upload } from '../pipeline/model.js';
import type { Platform } from '../platform/platform.js';
import { padGzip, takes } from '../wire/upload-length.js';
import { MISSING_BUCKET_MILLIS, meaningOf } from './answers.js';
import type { Endpoint } from './endpoint.js';
import { type Answer, NO_UPLOAD, type Tell } from './tell.js';

export interface SendDeps {
  platform: Pick<Platform, 'request' | 'monotonic'>;
  diagnostics: Diagnostics;
  endpoint: Endpoint;
  tell: Pick<Tell, 'ask'>;
  relay: 'auto' | 'always' | 'never';
  signal?: 'logs';
  /** An upload that is at hand for a blob of this length. */
  spare(length: number): Upload | undefined;
  /** Writes down what of the blob has changed. Resolves when it is. */
  saved(blob: TraceBlob): Promise<void>;
}

export interface Sender {
  send(blob: TraceBlob): Promise<Outcome>;
  /** By way of the endpoint. @param bytes gzip, or plain JSON. */
  relay(blob: TraceBlob, bytes: Uint8Array<ArrayBuffer>): Promise<Outcome>;
  /** The endpoint says that the store takes nothing from outside. */
  relayOnly(): void;
}

/** Opaque failures in a row before the bucket's host counts as blocked. */
const BLOCKED_AFTER = 2;
/** How long a blocked host is avoided before it is tried again. */
const BLOCKED_MILLIS = 5 * 60_000;
/** How long an endpoint is believed that says it takes everything by its relay. */
const RELAY_ONLY_MILLIS = 60 * 60_000;
/** A new permission that is refused as well means a wrong secret, clock or policy: hurry is no use. */
const REFUSED_MILLIS = 60_000;

const STORED: Outcome = { status: 'stored' };

const isNone = (answer: Answer): boolean => 'cause' in answer && answer.cause === NO_UPLOAD;
const isTooLarge = (answer: Outcome): boolean =>
  answer.status === 'rejected' && answer.reason === 'too-large';

export function createSender(deps: SendDeps): Sender {
  const { platform, diagnostics, endpoint, tell, signal } = deps;
  const { requests } = diagnostics.totals;
  let opaqueFailures = 0;
  let relayUntilMillis = 0;

  const mustRelay = (): boolean =>
    endpoint.relayUrl !== undefined &&
    deps.relay !== 'never' &&
    (deps.relay === 'always' || platform.monotonic() < relayUntilMillis);

  const isLive = (upload: Upload | undefined, length: number): upload is Upload =>
    upload !== undefined && upload.endsAtMillis > platform.monotonic() && takes(upload, length);

  /** The blob's own upload while it lives, else one that is at hand, else one that is asked for. */
  const uploadFor = async (blob: TraceBlob, bytes: Uint8Array): Promise<Answer> => {
    const { length } = bytes;
    const own = blob.upload ?? (await takeSpare(blob, length));
    if (isLive(own, length)) return own;
    const key = blob.upload?.key;
    const answer = await tell.ask({
      ...{ id: blob.id, bytes: length },
      ...(signal && { signal }),
      ...(blob.again && { again: true }),
      ...(key !== undefined && { key }),
      ...(blob.token !== undefined && { token: blob.token }),
    });
    if (!isNone(answer)) return answer;
    // What may be stored under that name goes under no other.
    if (key !== undefined && blob.again)
      return { status: 'rejected', reason: 'rejected', cause: 'its upload cannot be renewed' };
    // Whoever issues uploads for no id in particular has filled what is at hand.
    return (await takeSpare(blob, length)) ?? answer;
  };

  /** What names the object is the upload then, and no longer the blob: whoever finds the blob must find both. */
  const takeSpare = async (blob: TraceBlob, length: number): Promise<Upload | undefined> => {
    const upload = deps.spare(length);
    if (!upload) return undefined;
    blob.upload = upload;
    await deps.saved(blob);
    return upload;
  };

  const put = (upload: Upload, blob: TraceBlob): ReturnType<Platform['request']> => {
    requests.uploads++;
    return platform.request(upload.url, uploadRequest(upload, blob.bytes as Uint8Array<ArrayBuffer>, false));
  };

  const relay: Sender['relay'] = async (blob, bytes) => {
    requests.relays++;
    blob.again = true;
    const url = endpoint.relayUrl?.(blob.id) as string;
    const answer = await platform.request(url, endpoint.init?.(bytes) as RequestInit);
    const meaning = meaningOf(answer);
    if (meaning === 'stored' && /"v":2/.test(answer.body)) return STORED;
    requests.uploadFailures++;
    // Nothing gets through: it is the network that is down, and not the bucket's host that is blocked.
    if (!answer.status) relayUntilMillis = 0;
    const cause = `relay: ${answer.status || answer.body}`;
    // An endpoint of protocol 1 alone takes the id for a token.
    if (meaning === 'never' && !/bad_token/.test(answer.body))
      return { status: 'rejected', reason: 'rejected', cause };
    return { status: 'retryable', cause, retryAfterMillis: answer.retryAfterMillis };
  };

  /** No upload takes it. */
  const outsize = async (blob: TraceBlob): Promise<Outcome> =>
    endpoint.relayUrl && deps.relay !== 'never'
      ? relay(blob, blob.bytes as Uint8Array<ArrayBuffer>)
      : { status: 'rejected', reason: 'too-large', cause: 'no upload takes it' };

  return {
    relay,
    async send(blob) {
      for (let isRenewed = false; ; isRenewed = true) {
        if (mustRelay()) return relay(blob, blob.bytes as Uint8Array<ArrayBuffer>);
        const answer = await uploadFor(blob, blob.bytes as Uint8Array);
        if ('status' in answer) {
          if (isTooLarge(answer)) return outsize(blob);
          if (!isNone(answer)) return answer;
          if (mustRelay()) continue;
          diagnostics.totals.pool.empty++;
          return answer;
        }
        const upload = answer;
        if (!takes(upload, (blob.bytes as Uint8Array).length)) return outsize(blob);
        const wasSent = blob.again;
        if (upload.key !== undefined && !wasSent) {
          // Whoever finds the blob must know that there may be an object of that name.
          blob.again = true;
          await deps.saved(blob);
        }
        const result = await put(upload, blob);
        opaqueFailures = result.status ? 0 : opaqueFailures + 1;
        const meaning = meaningOf(result);
        if (meaning === 'stored' || meaning === 'exists') return STORED;
        requests.uploadFailures++;
        const cause = `upload: ${result.status || result.body}`;
        if (meaning === 'never') return { status: 'rejected', reason: 'rejected', cause };
        blob.again = wasSent || meaning !== 'expired';
        if (meaning === 'expired') {
          blob.upload = upload.key === undefined ? undefined : { ...upload, endsAtMillis: 0 };
          if (!isRenewed) continue;
          return { status: 'retryable', cause, delayMillis: REFUSED_MILLIS };
        }
        if (opaqueFailures >= BLOCKED_AFTER && endpoint.relayUrl && deps.relay === 'auto') {
          opaqueFailures = 0;
          relayUntilMillis = platform.monotonic() + BLOCKED_MILLIS;
          diagnostics.trouble(
            'bucket-blocked',
            'the bucket cannot be reached from this page; using the relay',
          );
        }
        const retryAfterMillis = result.status === 404 ? MISSING_BUCKET_MILLIS : result.retryAfterMillis;
        return { status: 'retryable', cause, retryAfterMillis };
      }
    },
    relayOnly() {
      relayUntilMillis = platform.monotonic() + RELAY_ONLY_MILLIS;
      if (deps.relay === 'never') diagnostics.trouble('relay-only', 'the bucket takes no uploads');
    },
  };
}

/** The request that an upload describes: exactly its method, headers or form fields, and no credentials. */
export function uploadRequest(
  upload: Upload,
  bytes: Uint8Array<ArrayBuffer>,
  keepalive: boolean,
): RequestInit {
  const { method, headers } = upload;
  const body = padGzip(bytes, upload.bytes);
  return {
    method,
    headers,
    body: method === 'POST' ? formOf(upload, body) : body,
    credentials: 'omit',
    referrerPolicy: 'no-referrer',
    redirect: 'error',
    keepalive,
  };
}

/** The S3 POST form: the policy's fields, then the file, which must come last. */
function formOf({ fields }: Upload, bytes: Uint8Array<ArrayBuffer>): FormData {
  const form = new FormData();
  for (const name in fields) form.append(name, fields[name] as string);
  form.append('file', new Blob([bytes]));
  return form;
}
