/** Values of OTLP/JSON as the overview reads them. */

/** Texts by key; of a key that comes twice the first. */
export type Attributes = Map<string, string>;

const MAX_ATTRIBUTES = 128;
const MAX_KEY_LENGTH = 200;
/** Longer values are cut: one filters by what can be read. */
const MAX_VALUE_LENGTH = 300;

/** Lists and maps are left out. */
export function readAttributes(
  value: unknown,
  { maxLength = MAX_VALUE_LENGTH }: { maxLength?: number } = {},
): Attributes {
  const read: Attributes = new Map();
  if (!Array.isArray(value)) return read;
  for (const pair of value.slice(0, MAX_ATTRIBUTES)) {
    const key: unknown = pair?.key;
    const text = readValue(pair?.value);
    // No NUL: it parts keys from values elsewhere.
    if (typeof key !== 'string' || text === undefined || read.has(key) || key.includes('\0')) continue;
    if (key.length <= MAX_KEY_LENGTH) read.set(key, text.slice(0, maxLength).replaceAll('\0', ''));
  }
  return read;
}

function readValue(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { stringValue, intValue, doubleValue, boolValue } = value as Record<string, unknown>;
  const scalar = stringValue ?? intValue ?? doubleValue ?? boolValue;
  return typeof scalar === 'string' || typeof scalar === 'number' || typeof scalar === 'boolean'
    ? String(scalar)
    : undefined;
}

/** A finite number, or undefined. */
export function numberOf(text: string | undefined): number | undefined {
  const number = Number(text);
  return text === undefined || text === '' || !Number.isFinite(number) ? undefined : number;
}

/** Epoch milliseconds with fractions of nanoseconds in decimal; undefined for none, zero and what cannot be. */
export function readMillis(nanos: unknown): number | undefined {
  const isText = typeof nanos === 'string' && /^\d{1,20}$/.test(nanos);
  const millis = isText || typeof nanos === 'number' ? Number(nanos) / 1e6 : Number.NaN;
  return millis > 0 && millis < 1e14 ? millis : undefined;
}
