/** What one answer of an OTLP/HTTP endpoint means for `forward`. */
import { meaningOf, type OtlpAnswer } from '../wire/otlp-answer.js';
import { parseRetryAfter } from '../wire/retry-after.js';

export type Answer =
  /** Taken, but for `rejectedCount` spans, of which `message` tells, if it tells. */
  | { status: 'accepted'; rejectedCount: number; message?: string }
  | { status: 'too-large'; message: string }
  /** The request is to blame, with which the endpoint could do nothing. */
  | { status: 'refused'; message: string }
  /** The endpoint failed, and says not to try again. */
  | { status: 'failed'; message: string }
  /** To be tried again. */
  | { status: 'busy'; message: string; retryAfterMillis?: number }
  /** No request would fare better: the URL or the headers are wrong. */
  | { status: 'misconfigured'; message: string };

const HINTS: Readonly<Record<number, string>> = {
  401: 'look at the headers',
  402: 'the account is not paid for',
  403: 'look at the headers',
  404: 'look at the URL',
  405: 'look at the URL',
  406: 'it does not speak OTLP/JSON',
  407: 'a proxy wants credentials',
  410: 'look at the URL',
  411: 'it wants a length',
  415: 'it does not take OTLP/JSON in gzip',
  421: 'look at the URL',
  426: 'it wants another protocol',
  431: 'the headers are too large',
  501: 'look at the URL',
  511: 'the network wants a login',
};

/** The answer as `forward` takes it: what is to blame decides what becomes of the objects. */
export function answerOf(answer: OtlpAnswer, headers: Headers, nowMillis: number): Answer {
  // Logs have another word for the same, which pages, who carry the rest of this, need not know.
  const body = answer.body.replace('"rejectedLogRecords"', '"rejectedSpans"');
  const meaning = meaningOf({ ...answer, body });
  const { status, message } = meaning;
  const { status: httpStatus } = answer;
  if (status === 'accepted') {
    return { status, rejectedCount: meaning.rejectedCount, ...(message && { message }) };
  }
  if (status === 'no-otlp') return { status: 'misconfigured', message };
  if (status === 'busy') {
    const retryAfterMillis = parseRetryAfter(headers, nowMillis);
    return { status, message, ...(retryAfterMillis === undefined ? {} : { retryAfterMillis }) };
  }
  if (httpStatus === 413) return { status: 'too-large', message };
  if (httpStatus < 400) {
    return { status: 'misconfigured', message: 'it redirects, which is not followed; look at the URL' };
  }
  const hint = HINTS[httpStatus];
  if (hint) return { status: 'misconfigured', message: `${message} (${hint})` };
  return { status: httpStatus < 500 ? 'refused' : 'failed', message };
}
