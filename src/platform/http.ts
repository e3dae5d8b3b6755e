/** Reading answers that may be hostile. */

/** A hundred presigned uploads of 2 KB each; more is not an answer of ours. */
const MAX_BODY_BYTES = 256 * 1024;
/** A server may ask for more patience than we would have, but not for all day. */
const MAX_RETRY_AFTER_MILLIS = 60 * 60_000;

/**
 * A response's body; beyond 256 KiB it is cut and cancelled.
 *
 * @throws what the body's stream throws.
 */
export async function readBytes(response: Response): Promise<Uint8Array> {
  const reader = response.body?.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (reader) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    length += value.length;
    if (length > MAX_BODY_BYTES) {
      await reader.cancel();
      break;
    }
  }
  const [first] = chunks;
  if (chunks.length === 1 && first) return first;
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

/** As UTF-8. A character that was cut off at the end is left out. */
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes, { stream: true });

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
