import type { Outcome } from '../pipeline/model.js';

/** What an answer can come to. */
type Answered = Extract<Outcome, { status: 'stored' | 'retryable' | 'rejected' }>;

/** The bucket or its permissions are the operator's to mend; everything can wait for that. */
const MENDING_MILLIS = 5 * 60_000;

/**
 * What is meant by the codes at the end of what a binding throws, such as `put: Internal error. (10001)`. All others,
 * and errors without one (a lost connection, our own deadline), may pass.
 *
 * @see https://developers.cloudflare.com/r2/api/error-codes/
 */
const MEANING: Record<string, 'exists' | 'mend' | 'never'> = {
  10002: 'mend', // Unauthorized
  10003: 'mend', // AccessDenied
  10006: 'mend', // NoSuchBucket
  10012: 'never', // MetadataTooLarge
  10020: 'never', // InvalidObjectName
  10031: 'exists', // PreconditionFailed, for which a binding gives null as a rule
  10042: 'mend', // NotEntitled
  100100: 'never', // EntityTooLarge
};

/** The outcome of a put that threw. */
export function outcomeOfError(error: unknown): Answered {
  const cause = String(error);
  const [, code = ''] = /\((\d+)\)$/.exec(cause) ?? [];
  const meaning = MEANING[code];
  if (meaning === 'exists') return { status: 'stored' };
  if (meaning === 'never') return { status: 'rejected', reason: 'rejected', cause };
  return { status: 'retryable', cause, ...(meaning && { retryAfterMillis: MENDING_MILLIS }) };
}
