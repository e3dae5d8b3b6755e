/** How a row of the waterfall is called, in the order in which one can do without the parts. */
import { findAttribute } from './any-value.mjs';
import { formatVital, ratingWords } from './page-facts.mjs';
import { resourceName } from './wording.mjs';

/** How long a frame let nothing else go on, in milliseconds. */
export const BLOCKING = 'spandrel.long_frame.blocking_millis';

/** A name such as `DELETE` takes no room from what stands beside it. */
const SHORT_CHARS = 7;

/**
 * @param {import('./span-tree.mjs').Node[]} roots
 * @returns {ReadonlySet<string>} names that more than one span has: they tell nothing apart
 */
export function repeatedNames(roots) {
  const [seen, repeated] = [new Set(), new Set()];
  const nodes = [...roots];
  for (const { span, children } of nodes) {
    (seen.has(span.name) ? repeated : seen).add(span.name);
    nodes.push(...children);
  }
  return repeated;
}

/**
 * @param {import('./parse-otlp.mjs').Span} span
 * @param {import('./page-facts.mjs').Vital | undefined} vital that it reports
 * @param {ReadonlySet<string>} repeated
 * @returns {{ before: string, main: string, after: string, isShort: boolean }} `main` tells it apart; `before` and
 *   `after` may be empty; `isShort` of `before`
 */
export function labelOf(span, vital, repeated) {
  const { name } = span;
  const parts = { before: '', main: name, after: '', isShort: false };
  if (vital) {
    const before = name.toUpperCase().endsWith(` ${vital.name}`)
      ? name.slice(0, -vital.name.length - 1)
      : name;
    return { ...parts, before, main: `${vital.name} ${formatVital(vital)}, ${ratingWords(vital.rating)}` };
  }
  const hint = hintOf(span);
  if (hint === '' || name.includes(hint)) return parts;
  if (!repeated.has(name) && name.length > SHORT_CHARS) return { ...parts, after: hint };
  return { ...parts, before: name, main: hint, isShort: name.length <= SHORT_CHARS };
}

/** Where it went, or the page that it is about; empty where it says neither. */
export const addressOf = (attributes) =>
  findAttribute(attributes, 'url.full', 'http.url', 'browser.document.url.full') ?? '';

function hintOf({ attributes }) {
  const blocking = Math.round(Number(findAttribute(attributes, BLOCKING)));
  if (blocking > 0) return `blocked ${blocking} ms`;
  // A server's span has its address in parts.
  return resourceName(addressOf(attributes)) || (findAttribute(attributes, 'url.path') ?? '');
}
