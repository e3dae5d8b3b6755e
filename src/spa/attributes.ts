/** Span attributes shared by what `start()` instruments. */
import type { Attributes, AttributeValue } from '@opentelemetry/api';
import { redactUrl } from '../pipeline/encode-redact.js';
import { ofDocument } from '../platform/dom.js';

/**
 * A URL fit to be stored, by the one rule that all URLs are redacted by, also where `redaction` is off: no user info, no
 * fragment, and query values replaced, since they often hold tokens and names. Keys stay, as they tell requests apart.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/registry/attributes/url/ on `url.full`
 */
export function storedUrl(href: string): string {
  try {
    const { href: whole, protocol } = new URL(href, ofDocument('baseURI'));
    // All of its content.
    return protocol === 'data:' ? protocol : redactUrl(whole);
  } catch {
    return 'invalid:';
  }
}

/** What of them is known: browsers say 0 or nothing of what a page may not know. */
export function known(attributes: Record<string, AttributeValue | undefined>): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value || value === false));
}
