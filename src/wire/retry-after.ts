/**
 * Reads a `Retry-After`: seconds, or an HTTP date, which is compared with the answer's own `Date` where that can be
 * read, since the client's clock may be wrong.
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
