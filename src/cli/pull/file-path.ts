import { createHash } from 'node:crypto';

/** What every file system takes, and what no shell or program takes for something else. */
const PLAIN = /^[A-Za-z0-9._=~@+,()-]$/;
/** The same where capitals are small letters: there they are encoded. */
const PLAIN_SMALL = /^[a-z0-9._=~@+,()-]$/;
/** Windows keeps these for devices, whatever the suffix. */
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\.|$)/i;
/** File systems take 255 bytes; a suffix for the time of writing has to fit as well. */
const MAX_SEGMENT_CHARS = 200;
const HASH_CHARS = 16;

/**
 * Where an object of this key goes, below a folder, with slashes: the key itself where that can be, else with odd
 * characters percent-encoded. Never absolute, never with `..`; two keys never share a path.
 *
 * @param options.ignoresCase whether the file system takes capitals for small letters; then they are encoded too.
 */
export function filePathOf(key: string, { ignoresCase = false }: { ignoresCase?: boolean } = {}): string {
  const plain = ignoresCase ? PLAIN_SMALL : PLAIN;
  return key
    .split('/')
    .map((segment) => segmentOf(segment, plain))
    .join('/');
}

function segmentOf(segment: string, plain: RegExp): string {
  // An empty segment needs a name that no other segment can have: `%` alone is never written.
  if (segment === '') return '%';
  let name = Array.from(segment, (char) => (plain.test(char) ? char : percent(char))).join('');
  if (/^\.+$/.test(name)) name = name.replaceAll('.', '%2E');
  // Windows drops a dot at the end, and a leading one or dash is hidden or an option.
  name = name.replace(/\.$/, '%2E').replace(/^[.-]/, percent);
  if (DEVICE.test(segment)) name = percent(name.charAt(0)) + name.slice(1);
  if (name.length <= MAX_SEGMENT_CHARS) return name;
  const hash = createHash('sha256').update(segment).digest('hex').slice(0, HASH_CHARS);
  const suffix = /(\.json)?(\.gz)?$/.exec(name)?.[0] ?? '';
  return `${name.slice(0, MAX_SEGMENT_CHARS - HASH_CHARS - suffix.length - 1)}%${hash}${suffix}`;
}

function percent(char: string): string {
  return Array.from(Buffer.from(char), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(
    '',
  );
}
