/** What one answer of an OTLP/HTTP endpoint means. */

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

/** As much of an answer as was read. */
export interface HttpAnswer {
  httpStatus: number;
  headers: Headers;
  /** Empty where it was too long, or broke off. */
  body: string;
}

const BUSY: readonly number[] = [429, 502, 503, 504];
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
const MAX_WORDS_LENGTH = 200;

/** @see https://opentelemetry.io/docs/specs/otlp/#otlphttp-response */
export function meaningOf({ httpStatus, headers, body }: HttpAnswer, nowMillis: number): Answer {
  if (httpStatus >= 200 && httpStatus < 300) return acceptedIn(body);
  const words = wordsOf(body);
  const message = `HTTP ${httpStatus}${words && ': '}${words}`;
  if (BUSY.includes(httpStatus)) {
    const retryAfterMillis = parseRetryAfter(headers, nowMillis);
    return { status: 'busy', message, ...(retryAfterMillis === undefined ? {} : { retryAfterMillis }) };
  }
  if (httpStatus === 413) return { status: 'too-large', message };
  // Where a redirect is not shown, its status is 0.
  if (httpStatus < 400) {
    return { status: 'misconfigured', message: 'it redirects, which is not followed; look at the URL' };
  }
  const hint = HINTS[httpStatus];
  if (hint) return { status: 'misconfigured', message: `${message} (${hint})` };
  return { status: httpStatus < 500 ? 'refused' : 'failed', message };
}

function acceptedIn(body: string): Answer {
  // A website that answers everything with its front page takes no spans.
  if (/^\s*</.test(body)) {
    return { status: 'misconfigured', message: 'it answers with a web page; look at the URL' };
  }
  const { partialSuccess } = parsed(body);
  const { rejectedSpans, errorMessage } = (partialSuccess ?? {}) as Record<string, unknown>;
  const message = oneLine(errorMessage);
  return { status: 'accepted', rejectedCount: countOf(rejectedSpans), ...(message && { message }) };
}

/** An int64, which JSON has as a string; 0 when it is none, or negative. */
function countOf(value: unknown): number {
  const count = typeof value === 'string' ? Number(value) : value;
  return Number.isSafeInteger(count) && (count as number) > 0 ? (count as number) : 0;
}

/** `google.rpc.Status` as JSON, or a line of text; a page is no explanation. */
function wordsOf(body: string): string {
  const said = oneLine(parsed(body)['message']);
  return said || (/^\s*[<{[]/.test(body) ? '' : oneLine(body));
}

function parsed(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

const NOT_PRINTED = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\ufffd\s]+/gu;

function oneLine(words: unknown): string {
  if (typeof words !== 'string') return '';
  return words.slice(0, MAX_WORDS_LENGTH).replace(NOT_PRINTED, ' ').trim();
}

/**
 * `Retry-After`: seconds, or an HTTP date, which is compared with the answer's own `Date` where it has one.
 *
 * @returns milliseconds from now, not negative; undefined when absent or unreadable.
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function parseRetryAfter(headers: Headers, nowMillis: number): number | undefined {
  const value = headers.get('retry-after')?.trim();
  if (!value) return undefined;
  const millis = /^\d+$/.test(value)
    ? Number(value) * 1_000
    : Date.parse(value) - (Date.parse(headers.get('date') ?? '') || nowMillis);
  return Number.isFinite(millis) ? Math.max(0, millis) : undefined;
}
