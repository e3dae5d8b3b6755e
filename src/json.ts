/**
 * JSON, whatever the page does to it or to prototypes once we are there: libraries of old give lists, texts and dates
 * a `toJSON` of their own, or replace `JSON`.
 */
type Own = Pick<JSON, 'parse' | 'stringify'>;
/** Where the second file, while it runs, finds what the first one found. */
export const OWN_JSON: unique symbol = Symbol.for('spandrel.json') as never;
const { parse, stringify } = (globalThis as { [OWN_JSON]?: Own })[OWN_JSON] ?? JSON;
export const ownJson: Own = { parse, stringify };

export const parseJson: typeof JSON.parse = parse;

/** The JSON of a text. */
export const jsonOf = (text: string): string => stringify(text);

/** The JSON of plain data: lists, objects' own properties but those that are undefined, and primitives. */
export function toJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(toJson).join()}]`;
  const pairs = Object.entries(value).filter(([, item]) => item !== undefined);
  return `{${pairs.map(([name, item]) => `${stringify(name)}:${toJson(item)}`).join()}}`;
}

/** Not by `reduce`, which such libraries replace too. */
export function sumOf<T>(items: Iterable<T>, of: (item: T) => number): number {
  let sum = 0;
  for (const item of items) sum += of(item);
  return sum;
}
