/** Puts a blob's bytes where a presigned upload says. Stage 6 of 8. */
import { parseRetryAfter, readBounded } from '../platform/http.js';
import type { Platform } from '../platform/platform.js';
import type { PresignedUpload, TraceBlob } from './model.js';

/** What the store's answer means for the blob. */
export type UploadResult =
  | { status: 'stored' }
  /** There is an object under the key already. */
  | { status: 'exists' }
  /** The URL is not valid (any more): renew it. */
  | { status: 'expired' }
  | {
      status: 'retryable';
      retryAfterMillis?: number;
      cause: string;
      network?: true;
    }
  | { status: 'rejected'; cause: string };

/** A request that has not been answered by then is given up and tried again under the same key. */
const UPLOAD_TIMEOUT_MILLIS = 30_000;
/** A missing bucket is the operator's to mend; the blob can wait for that. */
const MISSING_BUCKET_MILLIS = 5 * 60_000;
/** Error bodies of S3 are a few hundred bytes of XML. */
const MAX_ERROR_BYTES = 4_096;
/** The codes under which stores report a broken transfer as 400. */
const TRANSIENT_400 = /RequestTimeout|IncompleteBody|ClientDisconnect/;
const EXPIRED_400 = /Expired/;

/** Multipart boundaries and part headers, beside the fields. */
const FORM_OVERHEAD_BYTES = 2_048;

/** Bytes that an upload takes of the keepalive budget. */
export function keepaliveBytes(upload: PresignedUpload, blob: TraceBlob): number {
  return blob.bytes.length + (upload.method === 'POST' ? FORM_OVERHEAD_BYTES : 0);
}

/**
 * Uploads without credentials, with exactly the method, headers or form fields that the server named. The request
 * has begun when this returns. Never rejects.
 *
 * @param keepalive whether it may outlive the page; the caller has reserved the bytes.
 */
export async function uploadBlob(
  platform: Platform,
  upload: PresignedUpload,
  blob: TraceBlob,
  keepalive: boolean,
): Promise<UploadResult> {
  const abort = new AbortController();
  const stopTimer = platform.after(UPLOAD_TIMEOUT_MILLIS, () => abort.abort());
  try {
    const response = await platform.fetch(upload.url, {
      method: upload.method,
      headers: upload.headers,
      body: upload.method === 'POST' ? formOf(upload, blob) : blob.bytes,
      credentials: 'omit',
      cache: 'no-store',
      referrerPolicy: 'no-referrer',
      redirect: 'error',
      keepalive,
      signal: abort.signal,
    });
    // The body must be read to its end even when nobody wants it: only that frees the keepalive bytes.
    const body = await readBounded(response, MAX_ERROR_BYTES);
    return resultOf(response, body, platform.now());
  } catch (error) {
    return { status: 'retryable', cause: String(error), network: true };
  } finally {
    stopTimer();
  }
}

/**
 * What an HTTP answer of a store means.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 * @see https://developers.cloudflare.com/r2/api/error-codes/
 */
export function resultOf(response: Response, body: string, nowMillis: number): UploadResult {
  const { status } = response;
  const cause = `HTTP ${status}`;
  if (response.ok) return { status: 'stored' };
  if (status === 412) return { status: 'exists' };
  if (status === 401 || status === 403 || (status === 400 && EXPIRED_400.test(body)))
    return { status: 'expired' };
  if (status === 404)
    return {
      status: 'retryable',
      retryAfterMillis: MISSING_BUCKET_MILLIS,
      cause,
    };
  if (
    status >= 500 ||
    [408, 409, 425, 429].includes(status) ||
    (status === 400 && TRANSIENT_400.test(body))
  ) {
    const retryAfterMillis = parseRetryAfter(response.headers, nowMillis);
    return {
      status: 'retryable',
      cause,
      ...(retryAfterMillis === undefined ? {} : { retryAfterMillis }),
    };
  }
  return { status: 'rejected', cause };
}

/** The S3 POST form: the policy's fields, then the file, which must come last. */
export function formOf(upload: PresignedUpload, blob: TraceBlob): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(upload.fields ?? {})) form.append(name, value);
  form.append('file', new Blob([blob.bytes]));
  return form;
}
