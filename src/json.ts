/**
 * JSON, whatever the page does to it or to prototypes once we are there: libraries of old give lists, texts and dates
 * a `toJSON` of their own, or replace `JSON`.
 */
const { parse, stringify } = JSON;

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
