/** One request after another to an OTLP/HTTP endpoint, each tried again as long as it may be. */
import { readBounded } from '../wire/bounded-read.js';
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

  async function post(
    body: Uint8Array<ArrayBuffer>,
    headers: Record<string, string>,
    { signal, within }: Deadline,
  ): Promise<Answer> {
    try {
      // A redirected POST may arrive as a GET, whose 200 would say nothing.
      const init: RequestInit = { method: 'POST', headers, body, redirect: 'manual', signal };
      const response = await within(deps.fetch(url, init));
      const said = await within(readBounded(response.body, MAX_ANSWER_BYTES)).catch(() => undefined);
      // Whether the spans were taken stood in what is missing.
      if (!said && response.ok) return { status: 'busy', message: 'its answer broke off' };
      const answer = {
        // Where a redirect is not shown, its status is 0.
        status: response.status || 302,
        contentType: response.headers.get('content-type') ?? undefined,
        body: withoutSecrets(new TextDecoder().decode(said), headers),
        bytes: said,
      };
      return answerOf(answer, response.headers, now());
    } catch (error) {
      return { status: 'busy', message: signal.aborted ? 'no answer in time' : networkWords(error) };
    }
  }

  /** How long until a further attempt, by the answers so far. Full jitter, so that several forwarders do not return at once. */
  function delayAfter(failures: number, askedMillis: number | undefined): number {
    if (askedMillis !== undefined) return askedMillis + random() * RETRY_BASE_MILLIS;
    return random() * Math.min(RETRY_CAP_MILLIS, RETRY_BASE_MILLIS * 2 ** Math.min(failures - 1, 10));
  }

  return {
    async send(bytes, signal, onRequest) {
      let giveUpAtMillis = Number.POSITIVE_INFINITY;
      for (let failures = 1; ; failures += 1) {
        const patience = holdUntilMillis - now();
        if (patience > maxRetryMillis) {
          const message = 'the endpoint asked to be left alone';
          return { status: 'unavailable', message, retryAfterMillis: patience };
        }
        if (patience > 0) await sleep(patience, signal);
        if (signal?.aborted) return { status: 'unavailable', message: 'it was stopped' };
        const headers = await withDeadline(timeoutMillis, signal, (deadline) =>
          readHeaders(settings.headers, deadline),
        ).catch(() => undefined);
        if (!headers) return { status: 'unavailable', message: 'the headers function failed' };
        onRequest();
        const answer = await withDeadline(timeoutMillis, signal, (deadline) =>
          post(bytes, headers, deadline),
        );
        if (answer.status === 'misconfigured') return { status: 'unavailable', message: answer.message };
        if (answer.status !== 'busy') return answer;
        const { message, retryAfterMillis } = answer;
        if (failures === 1) giveUpAtMillis = now() + maxRetryMillis;
        const delay = delayAfter(failures, retryAfterMillis);
        const isAsked = retryAfterMillis !== undefined;
        if (isAsked) holdUntilMillis = Math.max(holdUntilMillis, now() + delay);
        if (now() + delay > giveUpAtMillis) {
          return { status: 'unavailable', message, ...(isAsked && { retryAfterMillis }) };
        }
        await sleep(delay, signal);
      }
    },
  };
}

/** @throws when the function does, takes too long, or gives no headers. */
async function readHeaders(headers: SenderHeaders, { within }: Deadline): Promise<Record<string, string>> {
  return checkedHeaders(typeof headers === 'function' ? await within(headers()) : headers);
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

interface Deadline {
  signal: AbortSignal;
  /** What the work gives, if it gives it in time, whether or not it heeds signals. */
  within<T>(work: T | Promise<T>): Promise<T>;
}

/** Runs a task with a time after which nothing is waited for. What is left of an answer then is not waited for either. */
async function withDeadline<T>(
  millis: number,
  outer: AbortSignal | undefined,
  task: (deadline: Deadline) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const { signal } = controller;
  const abort = (): void => controller.abort();
  const timer = setTimeout(abort, millis);
  outer?.addEventListener('abort', abort);
  if (outer?.aborted) abort();
  const ended = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason));
  });
  ended.catch(() => undefined);
  try {
    return await task({ signal, within: (work) => Promise.race([work, ended]) });
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener('abort', abort);
    abort();
  }
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
