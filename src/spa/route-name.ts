/**
 * Low-cardinality names of addresses: the path, or the path in the fragment of a hash router (`#/users/7`).
 *
 * By default what looks like an id becomes `:id`. That is a guess: words stay, however many there are of them, so a
 * site with slugs names its routes itself.
 */
import type { RouteNames } from '../page-options.js';

/** Deeper than any router's own names. */
const MAX_SEGMENTS = 8;
const MAX_CHARACTERS = 100;

/** One of these and the segment is an id. Each is tested in one pass over a segment of bounded length. */
const IDS = [
  // A run of digits: numbers, phone numbers, `order-12345`.
  /^\d+$|\d{5}/,
  // A date, maybe with a time.
  /^\d{4}-\d\d(-\d\d|$)/,
  // A UUID, or hexadecimal digits that are no word.
  /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$|^(?=.*\d)[\da-f]{8,}$/i,
  // Capitals and digits: ULIDs, article numbers.
  /^(?=.*\d)[\dA-Z]{8,}$/,
  // An e-mail address.
  /.@/,
];

/** Whether a piece of an address, decoded, is one of many of its kind. */
export function isId(segment: string): boolean {
  const text = segment.slice(0, MAX_CHARACTERS).replace(/\.\w{1,5}$/, '');
  if (IDS.some((pattern) => pattern.test(text))) return true;
  // Base64 and its like: digits and letters without a word's order. A slug's pieces are words or numbers.
  const isRandom = (piece: string): boolean =>
    /\d/.test(piece) && (/[\da-z][A-Z]/.test(piece) || /^\w{16}/.test(piece));
  return /^[\w=+~-]{16,}$/.test(text) && text.split(/[_-]/).some(isRandom);
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

const segmentsOf = (path: string): string[] => path.split('/').filter(Boolean);

/** Whether the segments are those of a pattern, one by one: `:name` is any one, `*` at the end is any number. */
function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  const hasRest = pattern.at(-1) === '*';
  const own = hasRest ? pattern.slice(0, -1) : pattern;
  return (
    (hasRest ? segments.length >= own.length : segments.length === own.length) &&
    own.every((wanted, at) => wanted[0] === ':' || wanted === '*' || wanted === segments[at])
  );
}

/** @returns a function from an absolute address to its name, of at most 100 characters. Never throws. */
export function createRouteName(names: RouteNames = []): (address: string) => string {
  const patterns =
    typeof names === 'function' ? [] : names.map((name) => ({ name, own: segmentsOf(name).map(decode) }));

  const nameOf = (url: URL): string => {
    const [, inFragment] = /^#!?(\/[^?]*)/.exec(url.hash) ?? [];
    // Written as a path is: a fragment leaves other characters as they are.
    if (inFragment) url.pathname = inFragment;
    const raw = segmentsOf(url.pathname);
    const segments = raw.map(decode);
    const found = patterns.find(({ own }) => matches(own, segments));
    if (found) return found.name;
    const kept = raw
      .slice(0, MAX_SEGMENTS)
      .map((segment, at) => (isId(segments[at] ?? '') ? ':id' : segment));
    return `/${[...kept, ...(raw.length > MAX_SEGMENTS ? ['*'] : [])].join('/')}`;
  };

  return (address) => {
    let name: unknown;
    try {
      if (typeof names === 'function') name = names(new URL(address));
    } catch {
      // The page's own function. Its name is only a name: the default will do.
    }
    try {
      if (typeof name !== 'string' || !name) name = nameOf(new URL(address));
    } catch {
      name = '/';
    }
    return (name as string).slice(0, MAX_CHARACTERS);
  };
}
