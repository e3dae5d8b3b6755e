/** Reading answers that may be hostile. */

/** A hundred presigned uploads of 2 KB each; more is not an answer of ours. */
const MAX_BODY_BYTES = 256 * 1024;
/** A server may ask for more patience than we would have, but not for all day. */
const MAX_RETRY_AFTER_MILLIS = 60 * 60_000;

/**
 * A response's body as text; beyond 256 KiB it is cut and cancelled.
 *
 * @throws what the body's stream throws.
 */
export async function readText(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  while (reader) {
    const { done, value } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
    bytes += value.length;
    if (bytes > MAX_BODY_BYTES) {
      await reader.cancel();
      break;
    }
  }
  return text;
}

/**
 * Reads a `Retry-After`: seconds, or an HTTP date, which is compared with the answer's own `Date` where that can
 * be read, since the client's clock may be wrong.
 *
 * @returns milliseconds from now, 0 to one hour; undefined when absent or unreadable.
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function parseRetryAfter(headers: Headers, nowMillis: number): number | undefined {
  const value = headers.get('retry-after');
  if (!value) return undefined;
  const millis = /^\s*\d+\s*$/.test(value)
    ? Number(value) * 1_000
    : Date.parse(value) - (Date.parse(headers.get('date') ?? '') || nowMillis);
  return Number.isNaN(millis) ? undefined : Math.min(Math.max(0, millis), MAX_RETRY_AFTER_MILLIS);
}
