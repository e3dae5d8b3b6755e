/** Which names tell that a value is nobody's business. */

/** What a name may hold: the list of Rails and Tasker. */
export const SENSITIVE: readonly string[] = [
  ...['passw', 'email', 'secret', 'token', '_key', 'crypt', 'salt', 'certificate', 'otp', 'ssn'],
];

/** As the exporter writes it. */
export const REDACTED = 'REDACTED';

/** Events of an app have a few dozen names. Beyond this many the cache starts anew. */
const MAX_REMEMBERED = 500;
/** Letters. `ssn` is in `className` as well, and `otp` in `footprint`. */
const SHORT = 3;

/** Tells whether a name holds one of `words`: upper case and camel case are the same, and short words count alone. */
export function sensitiveNames(words: readonly string[]): (name: string) => boolean {
  const known = new Map<string, boolean>();
  const parts = words.map((word) => {
    const text = word.toLowerCase().replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return word.length > SHORT || /[^a-z\d]/i.test(word) ? text : `(?<![a-z\\d])${text}(?![a-z\\d])`;
  });
  if (!parts.length) return () => false;
  const pattern = new RegExp(parts.join('|'));
  return (name) => {
    let is = known.get(name);
    if (is === undefined) {
      const snake = name.replace(/([a-z\d])([A-Z])/g, '$1_$2').toLowerCase();
      is = pattern.test(snake) || pattern.test(name.toLowerCase());
      if (known.size >= MAX_REMEMBERED) known.clear();
      known.set(name, is);
    }
    return is;
  };
}
