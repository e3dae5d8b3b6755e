/** What a store's answer to an upload means. */
import type { HttpAnswer } from '../platform/platform.js';

export type Meaning =
  | 'stored'
  /** There is an object under the name already: ours, as names are ours for life. */
  | 'exists'
  /** The permission is not valid (any more). */
  | 'expired'
  | 'later'
  | 'never';

/** A missing bucket is the operator's to mend; blobs can wait for that. */
export const MISSING_BUCKET_MILLIS: number = 5 * 60_000;
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
