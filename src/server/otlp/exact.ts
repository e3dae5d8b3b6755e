/** Doubles hold every integer of fewer digits. */
const LONG_DIGITS = 16;
/** Where there may be one outside of a text, which is seldom. */
const SUSPECTED = /[:[,\s]-?\d{16}/;
const LONG_INTEGER = /^-?\d{16,}$/;
const [QUOTE, BACKSLASH] = [0x22, 0x5c] as const;
/** What numbers are made of: digits, a sign, a point, a power. */
const NUMBER = /[\d.+eE-]*/y;

/**
 * Puts integers of 16 digits and more, which JavaScript would read as others, into quotation marks: OTLP/JSON writes
 * 64-bit integers as texts, and lets them be numbers too.
 *
 * @param json or what claims to be: nothing else is changed.
 */
export function quoteLongIntegers(json: string): string {
  if (!SUSPECTED.test(json)) return json;
  const parts: string[] = [];
  let taken = 0;
  let isText = false;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) isText = !isText;
    else if (isText) at += code === BACKSLASH ? 1 : 0;
    else if (beginsNumber(code)) {
      const number = numberAt(json, at);
      if (number.length >= LONG_DIGITS && LONG_INTEGER.test(number)) {
        parts.push(json.slice(taken, at), '"', number, '"');
        taken = at + number.length;
      }
      at += number.length - 1;
    }
  }
  return parts.join('') + json.slice(taken);
}

/** A digit or a minus. */
const beginsNumber = (code: number): boolean => code === 0x2d || (code >= 0x30 && code <= 0x39);

function numberAt(json: string, at: number): string {
  NUMBER.lastIndex = at;
  return NUMBER.exec(json)?.[0] ?? '';
}
