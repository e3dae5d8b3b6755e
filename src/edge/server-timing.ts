/** Tells a page which span of the server's its load goes on from. `spa/propagation.ts` reads it there. */
import type { SpanContext } from '@opentelemetry/api';
import { traceparentOf } from '../sdk/trace-context.js';

/** A cache would give one trace to all who are given this response, or to one page load after another. */
function mayBeReused(headers: Headers): boolean {
  const control = headers.get('cache-control') ?? '';
  if (/no-store|no-cache/i.test(control)) return false;
  if (/age\s*=/i.test(control)) return /age\s*=\s*"?0*[1-9]/i.test(control);
  // Without an age, caches guess one from these: https://www.rfc-editor.org/rfc/rfc9111#section-4.2.2
  return headers.has('expires') || headers.has('last-modified');
}

/**
 * The response with the header, or the very same: where it is no HTML document, may be used again, or cannot be changed
 * and has been read or decoded.
 *
 * @see https://www.w3.org/TR/server-timing/#the-server-timing-header-field
 */
export function withServerTiming(response: Response, context: SpanContext): Response {
  const { headers, status } = response;
  const isDocument = /^text\/html\b/i.test(headers.get('content-type') ?? '');
  // A 304 gives its headers to the copy that the browser has.
  if (!isDocument || status < 200 || status === 304 || mayBeReused(headers)) return response;
  const value = `traceparent;desc="${traceparentOf(context)}"`;
  try {
    headers.append('server-timing', value);
    return response;
  } catch {
    // Immutable: it comes from `fetch`, or is a redirect. What `fetch` has decoded, Deno cuts off at its encoded length.
    if (headers.has('content-encoding')) return response;
    // Only now, as Deno and Bun send another response once its body was looked at.
    const { body, bodyUsed } = response;
    if (bodyUsed || body?.locked) return response;
    const copy = new Response(body, response);
    copy.headers.append('server-timing', value);
    return copy;
  }
}
