/** Attributes shared by what `start()` instruments. */
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

/** The document that is shown. @param route its name: `PartDeps.routeName`. */
export const documentAttributes = (href: string, route: string): Attributes => ({
  'browser.document.url.full': storedUrl(href),
  'url.template': route,
});

/** What of them is known: browsers say 0 or nothing of what a page may not know. */
export function known(attributes: Record<string, AttributeValue | undefined>): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value || value === false));
}

/** What a browser says of itself unasked, for the resource. */
export function browserAttributes(): Attributes {
  const { language, userAgentData } = navigator as Navigator & {
    userAgentData?: { brands: { brand: string; version: string }[]; mobile: boolean; platform: string };
  };
  return known({
    'browser.brands': userAgentData?.brands.map(({ brand, version }) => `${brand} ${version}`),
    'browser.platform': userAgentData?.platform,
    'browser.mobile': userAgentData?.mobile,
    'browser.language': language,
  });
}

/** What nobody sits at, as far as it says so itself: a crawler, or a browser that is driven. */
export function syntheticType(): 'bot' | 'test' | undefined {
  const { userAgent, webdriver } = navigator;
  // Cubot is a maker of phones.
  if (/(?<!cu)bot\b|crawler|spider/i.test(userAgent)) return 'bot';
  return webdriver ? 'test' : undefined;
}

/** Whether no span of this page is its parent. */
export function isLocalRoot(span: object): boolean {
  const { parentSpanContext: parent } = span as { parentSpanContext?: { isRemote?: boolean } };
  return !parent || parent.isRemote === true;
}
