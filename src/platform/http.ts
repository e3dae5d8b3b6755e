/** Reading answers that may be hostile. */

/** A server may ask for more patience than we would have, but not for all day. */
const RETRY_AFTER_CAP_MILLIS = 60 * 60_000;

/**
 * Reads a `Retry-After`: seconds, or an HTTP date, which is compared with the answer's own `Date` where that can
 * be read, since the client's clock may be wrong.
 *
 * @returns milliseconds from now, 0 to one hour; undefined when absent or unreadable.
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function parseRetryAfter(headers: Headers, nowMillis: number): number | undefined {
  const value = headers.get('retry-after')?.trim();
  if (!value) return undefined;
  const millis = /^\d+$/.test(value)
    ? Number(value) * 1_000
    : Date.parse(value) - (Date.parse(headers.get('date') ?? '') || nowMillis);
  return Number.isNaN(millis) ? undefined : Math.min(Math.max(0, millis), RETRY_AFTER_CAP_MILLIS);
}

/**
 * Reads an answer's body as text, at most `maxBytes` of it; the rest is cancelled.
 *
 * @throws what the body's stream throws.
 */
export async function readBounded(response: Response, maxBytes: number): Promise<string> {
  const reader = response.body?.getReader();
  if (!reader) return '';
  const decoder = new TextDecoder();
  let text = '';
  for (let bytes = 0; bytes < maxBytes; ) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.length;
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return text;
}
