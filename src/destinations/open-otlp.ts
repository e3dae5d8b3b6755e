/** An OTLP/HTTP collector: blobs by POST. There are no receipts, and nobody can be asked what has arrived. */

import type { Outcome, TraceBlob } from '../pipeline/model.js';
import { readAnswer } from '../platform/http.js';
import type { Stop } from '../platform/platform.js';
import { createDeadlines } from './deadlines.js';
import type { DestinationDeps, OpenDestination } from './destination.js';
import { outcomeOf } from './otlp-answer.js';
import type { OtlpBody, OtlpFormat, Packed } from './otlp-format.js';
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
  /** What comes of the requests that outlive the page: while it lives, nothing of that goes a second time. */
  const surviving = new WeakMap<TraceBlob, Promise<Outcome>>();

  const badHeaders = (error: unknown): Outcome => {
    const cause = `headers: ${error}`;
    diagnostics.trouble('otlp-headers', cause);
    return { status: 'retryable', cause };
  };

  /** Begins in the caller's task. */
  const post = async (
    { spanCount }: TraceBlob,
    { bytes, isGzip }: OtlpBody,
    given: Record<string, string>,
    release: Stop | undefined,
  ): Promise<Outcome> => {
    const fields: Record<string, string> = { 'content-type': format.contentType, ...given };
    for (const name of OURS) delete fields[name];
    if (isGzip) fields['content-encoding'] = 'gzip';
    requests.uploads++;
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
    const answer = await platform.request(url, init, timeoutMillis, readAnswer);
    release?.();
    const { outcome, warning } = outcomeOf(answer, spanCount, format.answerOf);
    if (outcome.status !== 'stored') requests.uploadFailures++;
    if (warning) diagnostics.trouble('otlp-warning', warning);
    return outcome;
  };

  /** As {@link post}, so that it outlives the page; undefined where there is no room. */
  const postToLast = (
    blob: TraceBlob,
    body: OtlpBody,
    given: Record<string, string>,
  ): Promise<Outcome> | undefined => {
    const release = platform.keepalive.reserve(body.bytes.length);
    const outcome = release && post(blob, body, given, release);
    if (outcome) surviving.set(blob, outcome);
    return outcome;
  };

  /** What came of it, once: a second attempt is a request of its own. */
  const survivor = (blob: TraceBlob): Promise<Outcome> | undefined => {
    const outcome = surviving.get(blob);
    surviving.delete(blob);
    return outcome;
  };

  return {
    // A blob begins: its headers are asked for once ahead, for a page that leaves with it.
    hold() {
      source.warmUp();
      return undefined;
    },
    async send(blob) {
      const begun = survivor(blob);
      if (begun) return begun;
      let given: Record<string, string>;
      try {
        given = await source.read();
      } catch (error) {
        return badHeaders(error);
      }
      let body: OtlpBody;
      try {
        const steps = format.bodyOf(blob as Packed);
        let step = steps.next();
        while (!step.done) {
          await platform.yieldToMain();
          step = steps.next();
        }
        body = step.value;
      } catch (error) {
        // No second attempt would give another body.
        return { status: 'rejected', reason: 'unencodable', cause: String(error) };
      }
      // It may have gone out with the page meanwhile.
      const sent = survivor(blob) ?? postToLast(blob, body, given) ?? post(blob, body, given, undefined);
      const outcome = await sent;
      if (surviving.get(blob) === sent) surviving.delete(blob);
      return outcome;
    },
    sendNow(blob, bytes) {
      if (surviving.has(blob)) return true;
      // No body is less than half of the blob; spares the work where there is no room at all.
      if (platform.keepalive.freeBytes < bytes.length / 2) return false;
      let given: Record<string, string> | undefined;
      try {
        given = source.readNow();
      } catch (error) {
        badHeaders(error);
      }
      if (!given) return false;
      try {
        const steps = format.bodyOf({ bytes, rawBytes: blob.bytes ? blob.rawBytes : bytes.length });
        let step = steps.next();
        while (!step.done) step = steps.next();
        return postToLast(blob, step.value, given) !== undefined;
      } catch {
        // `send` says so.
        return false;
      }
    },
    close: deadlines.close,
  };
}
