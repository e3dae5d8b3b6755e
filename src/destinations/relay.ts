import type { Outcome, TraceBlob } from '../pipeline/model.js';
import { parseRetryAfter, readBounded } from '../platform/http.js';
import type { Platform } from '../platform/platform.js';
import { parseRelayed } from './endpoint.js';

const RELAY_TIMEOUT_MILLIS = 30_000;
const MAX_ANSWER_BYTES = 4_096;

/**
 * Posts a blob's bytes to the endpoint, which stores them under the blob's own key, once. Bytes without a content
 * type need no preflight. The request has begun when this returns. Never rejects.
 *
 * @returns the outcome, and the key that the endpoint chose if the blob had none.
 */
export async function relayBlob(
  platform: Platform,
  url: string,
  blob: TraceBlob,
  keepalive: boolean,
): Promise<{ outcome: Outcome; claim?: { key: string; token: string } }> {
  const abort = new AbortController();
  const stopTimer = platform.after(RELAY_TIMEOUT_MILLIS, () => abort.abort());
  try {
    const response = await platform.fetch(url, {
      method: 'POST',
      body: blob.bytes,
      credentials: 'same-origin',
      cache: 'no-store',
      keepalive,
      signal: abort.signal,
    });
    const claim = parseRelayed(await readBounded(response, MAX_ANSWER_BYTES));
    const cause = `relay: HTTP ${response.status}`;
    if (response.ok && claim) return { outcome: { status: 'stored' }, claim };
    if (response.status === 400 || response.status === 413) {
      return { outcome: { status: 'rejected', reason: 'rejected', cause } };
    }
    const retryAfterMillis = parseRetryAfter(response.headers, platform.now());
    return {
      outcome: {
        status: 'retryable',
        cause,
        ...(retryAfterMillis === undefined ? {} : { retryAfterMillis }),
      },
    };
  } catch (error) {
    return { outcome: { status: 'retryable', cause: `relay: ${error}` } };
  } finally {
    stopTimer();
  }
}
