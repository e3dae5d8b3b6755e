/** An OTLP/HTTP collector: stage 6 by POST. There are no keys and no receipts, so stages 5 and 7 are empty. */
import type { Outcome, TraceBlob } from '../pipeline/model.js';
import type { Stop } from '../platform/platform.js';
import { createDeadlines } from './deadlines.js';
import type { DestinationDeps, OpenDestination } from './destination.js';
import { outcomeOf } from './otlp-answer.js';
import type { OtlpBody, OtlpFormat } from './otlp-format.js';
import { createHeaderSource, type OtlpHeaders } from './otlp-headers.js';

export interface CheckedOtlpOptions {
  /** With its path. */
  url: string;
  headers: OtlpHeaders;
  format: OtlpFormat;
  timeoutMillis: number;
}

/** What tells about the body is not the user's to say. */
const OURS = ['content-encoding', 'content-length', 'transfer-encoding'];

export function openOtlp(
  deps: DestinationDeps,
  { url, headers, format, timeoutMillis }: CheckedOtlpOptions,
): OpenDestination {
  const { platform, diagnostics } = deps;
  const { requests } = diagnostics.totals;
  const deadlines = createDeadlines(platform);
  const source = createHeaderSource(deps, headers, deadlines, timeoutMillis);
  /** Blobs that are being sent by requests that outlive the page. */
  const surviving = new Set<TraceBlob>();

  const badHeaders = (error: unknown): Outcome => {
    const cause = `headers: ${error}`;
    diagnostics.trouble('otlp-headers', cause);
    return { status: 'retryable', cause };
  };
  /** No second attempt would give another body. */
  const badBlob = (error: unknown): Outcome => ({
    status: 'rejected',
    reason: 'unencodable',
    cause: String(error),
  });

  /** Begins in the caller's task. */
  const post = async (
    blob: TraceBlob,
    { bytes, isGzip }: OtlpBody,
    given: Record<string, string>,
    release: Stop | undefined,
  ): Promise<Outcome> => {
    const fields: Record<string, string> = { 'content-type': format.contentType, ...given };
    for (const name of OURS) delete fields[name];
    if (isGzip) fields['content-encoding'] = 'gzip';
    requests.uploads++;
    if (release) surviving.add(blob);
    const init: RequestInit = {
      method: 'POST',
      headers: fields,
      body: bytes,
      credentials: 'same-origin',
      referrerPolicy: 'no-referrer',
      // A redirected POST may arrive as a GET, whose 200 would say nothing.
      redirect: 'error',
      keepalive: release !== undefined,
    };
    const answer = await platform.request(url, init, timeoutMillis);
    surviving.delete(blob);
    release?.();
    const { outcome, warning } = outcomeOf(answer, blob.spanCount, format.answerOf);
    if (outcome.status !== 'stored') requests.uploadFailures++;
    if (warning) diagnostics.trouble('otlp-warning', warning);
    return outcome;
  };

  const sendNow = (blob: TraceBlob): Promise<Outcome> | Outcome => {
    // No body is less than half of the blob; spares the work where there is no room at all.
    if (platform.keepalive.freeBytes < blob.bytes.length / 2) return { status: 'unready' };
    let given: Record<string, string> | undefined;
    try {
      given = source.readNow();
    } catch (error) {
      return badHeaders(error);
    }
    if (!given) return { status: 'unready' };
    let body: OtlpBody;
    try {
      const steps = format.bodyOf(blob);
      let step = steps.next();
      while (!step.done) step = steps.next();
      body = step.value;
    } catch (error) {
      return badBlob(error);
    }
    const release = platform.keepalive.reserve(body.bytes.length);
    return release ? post(blob, body, given, release) : { status: 'unready' };
  };

  const sendSoon = async (blob: TraceBlob): Promise<Outcome> => {
    let given: Record<string, string>;
    try {
      given = await source.read();
    } catch (error) {
      return badHeaders(error);
    }
    let body: OtlpBody;
    try {
      const steps = format.bodyOf(blob);
      let step = steps.next();
      while (!step.done) {
        await platform.yieldToMain();
        step = steps.next();
      }
      body = step.value;
    } catch (error) {
      return badBlob(error);
    }
    if (!(await deps.claimed(blob))) return { status: 'gone' };
    // It has gone out with the page meanwhile.
    if (surviving.has(blob)) return { status: 'unready' };
    return post(blob, body, given, platform.keepalive.reserve(body.bytes.length));
  };

  return {
    warmUp: source.warmUp,
    ready: () => true,
    async send(blob, mode) {
      // What outlives the page need not be sent again because the page leaves.
      if (surviving.has(blob)) return { status: 'unready' };
      return mode === 'leaving' ? sendNow(blob) : sendSoon(blob);
    },
    leave() {},
    async settle() {},
    close: deadlines.close,
  };
}
