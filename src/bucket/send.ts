/** The other half of a bucket, for a page that lives: brings one blob there by one function, read from top to bottom. */

import type { OpenDestination } from '../destinations/destination.js';
import type { Outcome, TraceBlob, Upload } from '../pipeline/model.js';
import type { HttpAnswer } from '../platform/platform.js';
import { padGzip, takes } from '../wire/upload-length.js';
import { meaningOf } from './endpoint.js';
import { exchangeWith } from './exchange.js';
import { exchangeByFunctions } from './functions.js';
import type { Leaving } from './leaving.js';
import { type Answer, createTell, NO_UPLOAD } from './tell.js';

/** A missing bucket is the operator's to mend; blobs can wait for that. */
const MISSING_BUCKET_MILLIS = 5 * 60_000;
/** Opaque failures in a row before the bucket's host counts as blocked. */
const BLOCKED_AFTER = 2;
/** How long a blocked host is avoided before it is tried again. */
const BLOCKED_MILLIS = 5 * 60_000;
/** How long an endpoint is believed that says it takes everything by its relay. */
const RELAY_ONLY_MILLIS = 60 * 60_000;
/** A new permission that is refused as well means a wrong secret, clock or policy: hurry is no use. */
const REFUSED_MILLIS = 60_000;

type Bytes = Uint8Array<ArrayBuffer>;

const STORED: Outcome = { status: 'stored' };

const isNone = (answer: Answer): boolean => (answer as { cause?: string }).cause === NO_UPLOAD;
const isTooLarge = (answer: Outcome): boolean =>
  answer.status === 'rejected' && answer.reason === 'too-large';

/** What a living page does with a bucket. */
export function completeBucket(leaving: Leaving): Partial<OpenDestination> & Pick<OpenDestination, 'send'> {
  const { deps, options, endpoint, functions, relayUrl } = leaving;
  const { platform, diagnostics, saved } = deps;
  const { requests, pool } = diagnostics.totals;
  const { sendNow, relay } = leaving.open;
  let opaqueFailures = 0;
  /** Uploads that name no blob, oldest first. */
  let spares: Upload[] = [];

  const spare = (length: number): Upload | undefined => {
    const before = spares.length;
    spares = spares.filter(({ endsAtMillis }) => endsAtMillis > platform.monotonic());
    pool.expired += before - spares.length;
    const found = spares.find((upload) => takes(upload, length));
    spares = spares.filter((upload) => upload !== found);
    return found;
  };

  const tell = createTell(leaving, {
    exchange: endpoint
      ? exchangeWith(endpoint, platform)
      : exchangeByFunctions(functions, deps, options.poolSize),
    relayOnly() {
      leaving.relayUntilMillis = platform.monotonic() + RELAY_ONLY_MILLIS;
      if (options.relay === 'never') diagnostics.trouble('relay-only', 'the bucket takes no uploads');
    },
    spares: (uploads) => void spares.push(...uploads),
  });

  const mustRelay = (): boolean =>
    relay !== undefined && (options.relay === 'always' || platform.monotonic() < leaving.relayUntilMillis);

  const isLive = (upload: Upload | undefined, length: number): upload is Upload =>
    upload !== undefined && upload.endsAtMillis > platform.monotonic() && takes(upload, length);

  /** The blob's own upload while it lives, else one that is at hand, else one that is asked for. */
  const uploadFor = async (blob: TraceBlob, bytes: Uint8Array): Promise<Answer> => {
    const { length } = bytes;
    const own = blob.upload ?? (await takeSpare(blob, length));
    if (isLive(own, length)) return own;
    const key = blob.upload?.key;
    const answer = await tell.want({
      ...{ id: blob.id, bytes: length },
      ...(deps.signal && { signal: deps.signal }),
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
    const upload = spare(length);
    if (!upload) return undefined;
    blob.upload = upload;
    await saved(blob);
    return upload;
  };

  /** The request that an upload describes: exactly its method, headers or form fields, and no credentials. */
  const put = (upload: Upload, bytes: Bytes, keepalive = false): Promise<HttpAnswer> => {
    const { method, headers, url } = upload;
    const body = padGzip(bytes, upload.bytes);
    requests.uploads++;
    return platform.request(url, {
      ...{ method, headers, keepalive },
      body: method === 'POST' ? formOf(upload, body) : body,
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      redirect: 'error',
    });
  };

  /** No upload takes it. */
  const outsize = async (blob: TraceBlob): Promise<Outcome> =>
    relay?.(blob, blob.bytes as Bytes) ?? {
      ...{ status: 'rejected', reason: 'too-large', cause: 'no upload takes it' },
    };

  diagnostics.gauge((stats) => {
    stats.pool.ready = spares.length;
  });

  return {
    ...tell,
    async send(blob) {
      for (let isRenewed = false; ; isRenewed = true) {
        const bytes = blob.bytes as Bytes;
        if (relay && mustRelay()) return relay(blob, bytes);
        const answer = await uploadFor(blob, bytes);
        if ('status' in answer) {
          if (isTooLarge(answer)) return outsize(blob);
          if (!isNone(answer)) return answer;
          if (mustRelay()) continue;
          pool.empty++;
          return answer;
        }
        const upload = answer;
        if (!takes(upload, bytes.length)) return outsize(blob);
        const wasSent = blob.again;
        if (upload.key !== undefined && !wasSent) {
          // Whoever finds the blob must know that there may be an object of that name.
          blob.again = true;
          await saved(blob);
        }
        const result = await put(upload, bytes);
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
        if (opaqueFailures >= BLOCKED_AFTER && relayUrl && options.relay === 'auto') {
          opaqueFailures = 0;
          leaving.relayUntilMillis = platform.monotonic() + BLOCKED_MILLIS;
          diagnostics.trouble(
            'bucket-blocked',
            'the bucket cannot be reached from this page; using the relay',
          );
        }
        const retryAfterMillis = result.status === 404 ? MISSING_BUCKET_MILLIS : result.retryAfterMillis;
        return { status: 'retryable', cause, retryAfterMillis };
      }
    },
    sendNow(blob, bytes) {
      const { upload } = blob;
      if (!upload) return sendNow?.(blob, bytes) ?? false;
      const release =
        isLive(upload, bytes.length) && platform.keepalive.reserve(upload.bytes ?? bytes.length);
      if (!release) return false;
      void put(upload, bytes, true).then(release);
      leaving.unconfirmed.push(blob);
      return true;
    },
    sendLater(id, bytes) {
      const takeBack = relayUrl && platform.defer(relayUrl(id), endpoint?.init(bytes) as RequestInit);
      if (takeBack) requests.deferred++;
      return takeBack;
    },
    hold: () => (endpoint ? undefined : spare(0)),
  };
}

/** The S3 POST form: the policy's fields, then the file, which must come last. */
function formOf({ fields }: Upload, bytes: Bytes): FormData {
  const form = new FormData();
  for (const name in fields) form.append(name, fields[name] as string);
  form.append('file', new Blob([bytes]));
  return form;
}
