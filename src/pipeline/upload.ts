/** Puts a blob's bytes where a presigned upload says. Stage 6 of 8. */
import { sumOf } from '../json.js';
import type { HttpAnswer } from '../platform/platform.js';
import type { Outcome, PresignedUpload, TraceBlob } from './model.js';
import { padGzip } from './upload-length.js';

/** An outcome, or what only the owner of the URL can judge. */
export type UploadResult =
  | Outcome
  /** There is an object under the key already. */
  | { status: 'exists' }
  /** The URL is not valid (any more). */
  | { status: 'expired' };

/** A missing bucket is the operator's to mend; the blob can wait for that. */
const MISSING_BUCKET_MILLIS = 5 * 60_000;
/** The statuses that may pass, and the codes under which stores report a broken transfer as 400. */
const TRANSIENT = /^(0|408|409|425|429|5\d\d|400.*(RequestTimeout|IncompleteBody|ClientDisconnect))/s;
const EXPIRED = /^(401|403|400.*Expired)/s;

/**
 * The request that an upload describes: exactly its method, headers or form fields, and no credentials. Where it takes
 * one length only, the blob's bytes are padded to it.
 *
 * @param keepalive whether it may outlive the page; the caller has reserved the bytes.
 */
export function uploadRequest(upload: PresignedUpload, blob: TraceBlob, keepalive: boolean): RequestInit {
  const { method, headers } = upload;
  return {
    method,
    headers,
    body: method === 'POST' ? formOf(upload, blob) : padGzip(blob.bytes, upload.bytes),
    credentials: 'omit',
    referrerPolicy: 'no-referrer',
    redirect: 'error',
    keepalive,
  };
}

/** The S3 POST form: the policy's fields, then the file, which must come last. */
export function formOf({ fields, bytes }: PresignedUpload, blob: TraceBlob): FormData {
  const form = new FormData();
  for (const name in fields) form.append(name, fields[name] as string);
  form.append('file', new Blob([padGzip(blob.bytes, bytes)]));
  return form;
}

/** Of a part that is not its name or value: engines' boundaries are up to 60 characters, and a file has more headers. */
const PART_BYTES = 128;

/** What a form adds to its file, bytes: at least, as the browser counts them against what may outlive a page. */
export function formBytes(fields: PresignedUpload['fields'] = {}): number {
  const parts = Object.entries(fields);
  // The file, and the end.
  return 2 * PART_BYTES + sumOf(parts, (part) => part.join('').length + PART_BYTES);
}

/**
 * What an answer to an upload or relay means.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 * @see https://developers.cloudflare.com/r2/api/error-codes/
 */
export function resultOf({ status, body, retryAfterMillis }: HttpAnswer): UploadResult {
  const seen = status + body;
  const cause = status ? `HTTP ${status}` : body;
  if (status >= 200 && status < 300) return { status: 'stored' };
  if (status === 412) return { status: 'exists' };
  if (EXPIRED.test(seen)) return { status: 'expired' };
  if (status === 404) return { status: 'retryable', retryAfterMillis: MISSING_BUCKET_MILLIS, cause };
  if (TRANSIENT.test(seen)) return { status: 'retryable', retryAfterMillis, cause };
  return { status: 'rejected', reason: 'rejected', cause };
}
