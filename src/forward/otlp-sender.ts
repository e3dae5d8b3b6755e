/** One request after another to an OTLP/HTTP endpoint, each tried again as long as it may be. */
import { readBounded } from '../server/bounded-read.js';
import { type Answer, answerOf } from './otlp-answer.js';

/** Headers of each request, or what gives them. */
export type SenderHeaders =
  | Record<string, string>
  | (() => Record<string, string> | Promise<Record<string, string>>);

export interface OtlpSenderSettings {
  /** With the path of the signal. */
  url: string;
  headers: SenderHeaders;
  timeoutMillis: number;
  maxRetryMillis: number;
}

/** The world. */
export interface OtlpSenderDeps {
  fetch: typeof fetch;
  /** Epoch milliseconds. */
  now: () => number;
  /** Uniform in [0, 1). */
  random: () => number;
  /** Resolves after so long, and at once when the signal aborts; never rejects. */
  sleep(millis: number, signal: AbortSignal | undefined): Promise<void>;
}

/** `unavailable`: neither this request nor another is to be tried now. */
export type Sent =
  | Exclude<Answer, { status: 'busy' | 'misconfigured' }>
  | { status: 'unavailable'; message: string; retryAfterMillis?: number };

export interface OtlpSender {
  /**
   * Sends gzip of one OTLP/JSON request. Never rejects.
   *
   * @param onRequest is called with each attempt.
   */
  send(bytes: Uint8Array<ArrayBuffer>, signal: AbortSignal | undefined, onRequest: () => void): Promise<Sent>;
}

const RETRY_BASE_MILLIS = 1_000;
const RETRY_CAP_MILLIS = 30_000;
/** What the specification recommends for answers. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
/** What tells about the body is not the user's to say. */
const NOT_TO_SAY = ['content-length', 'transfer-encoding'];
const OURS_ALWAYS = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
/** Shorter ones are no secrets, and stand in many words. */
const MIN_SECRET_LENGTH = 6;

export function createOtlpSender(settings: OtlpSenderSettings, deps: OtlpSenderDeps): OtlpSender {
  const { url, timeoutMillis, maxRetryMillis } = settings;
  const { now, random, sleep } = deps;
  /** The endpoint wants to be left alone until then. */
  let holdUntilMillis = 0;

  const attempt = async (
    bytes: Uint8Array<ArrayBuffer>,
    headers: Record<string, string>,
    signal: AbortSignal | undefined,
  ): Promise<Answer> => {
    const deadline = createDeadline(timeoutMillis, signal);
    try {
      const init: RequestInit = {
        method: 'POST',
        headers,
        body: bytes,
        // A redirected POST may arrive as a GET, whose 200 would say nothing.
        redirect: 'manual',
        signal: deadline.signal,
      };
      const response = await deadline.within(deps.fetch(url, init));
      const { status, headers: answered } = response;
      const said = await deadline.within(readBounded(response.body, MAX_ANSWER_BYTES)).catch(() => undefined);
      // Whether the spans were taken stood in what is missing.
      if (!said && response.ok) return { status: 'busy', message: 'its answer broke off' };
      const answer = {
        // Where a redirect is not shown, its status is 0.
        status: status || 302,
        contentType: answered.get('content-type') ?? undefined,
        body: withoutSecrets(new TextDecoder().decode(said), headers),
        bytes: said,
      };
      return answerOf(answer, answered, now());
    } catch (error) {
      return { status: 'busy', message: deadline.signal.aborted ? 'no answer in time' : networkWords(error) };
    } finally {
      deadline.end();
    }
  };

  return {
    async send(bytes, signal, onRequest) {
      let failures = 0;
      let giveUpAtMillis = Number.POSITIVE_INFINITY;
      for (;;) {
        const patience = holdUntilMillis - now();
        if (patience > 0) {
          if (patience > maxRetryMillis) {
            const message = 'the endpoint asked to be left alone';
            return { status: 'unavailable', message, retryAfterMillis: patience };
          }
          await sleep(patience, signal);
        }
        if (signal?.aborted) return { status: 'unavailable', message: 'it was stopped' };
        let headers: Record<string, string>;
        try {
          headers = await readHeaders(settings.headers, timeoutMillis, signal);
        } catch {
          return { status: 'unavailable', message: 'the headers function failed' };
        }
        onRequest();
        const answer = await attempt(bytes, headers, signal);
        if (answer.status === 'misconfigured') return { status: 'unavailable', message: answer.message };
        if (answer.status !== 'busy') return answer;
        const { message, retryAfterMillis } = answer;
        failures++;
        if (failures === 1) giveUpAtMillis = now() + maxRetryMillis;
        // Full jitter, so that several forwarders do not return at once.
        const delay =
          retryAfterMillis === undefined
            ? random() * Math.min(RETRY_CAP_MILLIS, RETRY_BASE_MILLIS * 2 ** Math.min(failures - 1, 10))
            : retryAfterMillis + random() * RETRY_BASE_MILLIS;
        if (retryAfterMillis !== undefined) holdUntilMillis = Math.max(holdUntilMillis, now() + delay);
        if (now() + delay > giveUpAtMillis) {
          return {
            status: 'unavailable',
            message,
            ...(retryAfterMillis === undefined ? {} : { retryAfterMillis }),
          };
        }
        await sleep(delay, signal);
      }
    },
  };
}

/** @throws when the function does, takes too long, or gives no headers. */
async function readHeaders(
  headers: SenderHeaders,
  timeoutMillis: number,
  signal: AbortSignal | undefined,
): Promise<Record<string, string>> {
  const deadline = createDeadline(timeoutMillis, signal);
  try {
    const given = typeof headers === 'function' ? await deadline.within(headers()) : headers;
    return checkedHeaders(given);
  } finally {
    deadline.end();
  }
}

/** With ours, names in lowercase. @throws {TypeError} when these are no headers. */
export function checkedHeaders(headers: unknown): Record<string, string> {
  if (typeof headers !== 'object' || headers === null) throw new TypeError('headers are an object');
  if (Object.values(headers).some((value) => typeof value !== 'string')) {
    throw new TypeError('headers are strings');
  }
  const given = Object.fromEntries(new Headers(headers as Record<string, string>));
  for (const name of NOT_TO_SAY) delete given[name];
  return { ...given, ...OURS_ALWAYS };
}

/** A time after which nothing is waited for, whether or not it heeds signals. */
function createDeadline(millis: number, outer: AbortSignal | undefined) {
  const controller = new AbortController();
  const { signal } = controller;
  const abort = (): void => controller.abort();
  const timer = setTimeout(abort, millis);
  outer?.addEventListener('abort', abort);
  if (outer?.aborted) abort();
  return {
    signal,
    within<T>(work: T | Promise<T>): Promise<T> {
      return new Promise((resolve, reject) => {
        if (signal.aborted) reject(signal.reason);
        signal.addEventListener('abort', () => reject(signal.reason));
        Promise.resolve(work).then(resolve, reject);
      });
    },
    end(): void {
      clearTimeout(timer);
      outer?.removeEventListener('abort', abort);
      // What is left of an answer is not waited for.
      abort();
    },
  };
}

/** Node tells the reason in a code; other words may hold the URL. */
function networkWords(error: unknown): string {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: { code?: unknown } };
  const known = cause?.code ?? code;
  return typeof known === 'string' && /^[A-Z][A-Z_\d]{2,40}$/.test(known)
    ? `no answer (${known})`
    : 'no answer';
}

/** An endpoint may repeat what it was sent. */
function withoutSecrets(body: string, headers: Record<string, string>): string {
  let said = body;
  for (const [name, value] of Object.entries(headers)) {
    if (name in OURS_ALWAYS) continue;
    for (const secret of [value, ...value.split(/\s+/)]) {
      if (secret.length >= MIN_SECRET_LENGTH) said = said.replaceAll(secret, '…');
    }
  }
  return said.replace(/\/\/[^\s/@]{1,200}@/g, '//');
}
