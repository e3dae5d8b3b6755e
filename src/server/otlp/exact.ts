/** Doubles hold every integer of fewer digits. */
const LONG_DIGITS = 16;
const [QUOTE, BACKSLASH, MINUS, ZERO, NINE] = [0x22, 0x5c, 0x2d, 0x30, 0x39] as const;
/** What numbers have beside digits, where they are no integers: a point, a plus, and both letters of a power. */
const NOT_INTEGER: readonly number[] = [0x2e, 0x2b, 0x45, 0x65];

/**
 * Puts integers of 16 digits and more, which JavaScript would read as others, into quotation marks: OTLP/JSON writes
 * 64-bit integers as texts, and lets them be numbers too.
 *
 * @param json or what claims to be: nothing else is changed.
 */
export function quoteLongIntegers(json: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const places: number[] = [];
  let isText = false;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at] as number;
    if (byte === QUOTE) isText = !isText;
    else if (isText) at += byte === BACKSLASH ? 1 : 0;
    else if (byte === MINUS || isDigit(byte)) {
      const end = endOfNumber(json, at);
      if (isLongInteger(json, at, end)) places.push(at, end);
      at = end - 1;
    }
  }
  return places.length === 0 ? json : withQuotes(json, places);
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= ZERO && byte <= NINE;

function endOfNumber(json: Uint8Array, from: number): number {
  let end = from + 1;
  while (isDigit(json[end]) || json[end] === MINUS || NOT_INTEGER.includes(json[end] as number)) end++;
  return end;
}

function isLongInteger(json: Uint8Array, from: number, end: number): boolean {
  const first = json[from] === MINUS ? from + 1 : from;
  return end - first >= LONG_DIGITS && json.subarray(first, end).every(isDigit);
}

function withQuotes(json: Uint8Array, places: readonly number[]): Uint8Array<ArrayBuffer> {
  const quoted = new Uint8Array(json.length + places.length);
  let from = 0;
  let to = 0;
  for (const place of places) {
    quoted.set(json.subarray(from, place), to);
    to += place - from;
    quoted[to++] = QUOTE;
    from = place;
  }
  quoted.set(json.subarray(from), to);
  return quoted;
}
