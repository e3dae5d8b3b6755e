/** Span attributes shared by what `start()` instruments. */

/**
 * A URL fit to be stored: no user info, no fragment, and query values replaced, since they often hold tokens and
 * names. Keys stay, as they tell requests apart.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/registry/attributes/url/ on `url.full`
 */
export function storedUrl(href: string): string {
  try {
    const url = new URL(href, document.baseURI);
    // All of its content.
    if (url.protocol === 'data:') return url.protocol;
    // Each of these parses the whole once more.
    if (!/[?#@]/.test(url.href)) return url.href;
    url.username = url.password = url.hash = '';
    for (const key of new Set(url.searchParams.keys())) url.searchParams.set(key, 'REDACTED');
    return url.href;
  } catch {
    return 'invalid:';
  }
}
