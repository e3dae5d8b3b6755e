// Control characters, those that turn the direction of text, and invisible ones: a terminal obeys some of them.
const UNPRINTABLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Text from outside as one short line that a terminal shows and does not obey. */
export function printable(text: unknown, maxChars = 200): string {
  const line = String(text)
    .slice(0, maxChars + 1)
    .replace(UNPRINTABLE, '\ufffd');
  return line.length > maxChars ? `${line.slice(0, maxChars)}…` : line;
}

/** A URL without what may be secret in it: user, query and fragment. */
export function bareUrl(url: string | URL): string {
  const { origin, pathname } = new URL(url);
  return printable(origin + pathname, 300);
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `0 B`, `1.2 KiB`, `340 MiB`. */
export function bytesInWords(bytes: number): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), UNITS.length - 1);
  const value = bytes / 1024 ** power;
  return `${power && value < 10 ? value.toFixed(1) : Math.round(value)} ${UNITS[power]}`;
}

/** `1 object`, `2 objects`, `1,000 objects`. */
export function plural(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

/** `12 ms`, `3.4 s`, `2 min`, `3 h`, `4 days`. */
export function millisInWords(millis: number): string {
  const size = Math.abs(millis);
  if (size < 1_000) return `${Math.round(millis)} ms`;
  if (size < 120_000) return `${Math.round(millis / 100) / 10} s`;
  if (size < 7_200_000) return `${Math.round(millis / 60_000)} min`;
  return size < 172_800_000
    ? `${Math.round(millis / 3_600_000)} h`
    : `${Math.round(millis / 86_400_000)} days`;
}
