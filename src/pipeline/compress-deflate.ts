/**
 * DEFLATE for a page that is leaving, where nothing can be awaited: in one pass, with fixed codes. It makes as few bytes
 * as fflate's first level in a quarter of the code; a living page uses the browser's `CompressionStream`, which makes a
 * quarter fewer.
 *
 * @see https://www.rfc-editor.org/rfc/rfc1951#section-3.2.6
 */

const MIN_MATCH = 4;
const MAX_MATCH = 258;
const WINDOW = 32_768;
const HASH_BITS = 15;
/** Earlier places that are compared. One makes a quarter more bytes, and more of them hardly fewer. */
const MAX_TRIES = 6;

/** `count` bits of `code`, last first: codes are sent that way round. */
function reversed(code: number, count: number): number {
  let bits = 0;
  for (let at = 0; at < count; at++) bits |= ((code >> at) & 1) << (count - 1 - at);
  return bits;
}

interface Tables {
  /** By symbol 0 to 287: the code, and its length above 16 bits. */
  symbols: Uint32Array;
  /** By match length: symbol. By length and distance code: what it begins at, and extra bits. */
  lengthSymbol: Uint16Array;
  lengthBase: number[];
  distanceBase: number[];
  distanceCode: number[];
}

let tables: Tables | undefined;

function build(): Tables {
  const symbols = Uint32Array.from({ length: 288 }, (_, symbol) => {
    if (symbol < 144) return (8 << 16) | reversed(0x30 + symbol, 8);
    if (symbol < 256) return (9 << 16) | reversed(0x190 + symbol - 144, 9);
    if (symbol < 280) return (7 << 16) | reversed(symbol - 256, 7);
    return (8 << 16) | reversed(0xc0 + symbol - 280, 8);
  });
  const lengthBase: number[] = [];
  for (let code = 0, base = 3; code < 28; code++) {
    lengthBase.push(base);
    base += 1 << lengthExtra(code);
  }
  lengthBase.push(MAX_MATCH);
  const lengthSymbol = new Uint16Array(MAX_MATCH + 1);
  for (let code = 0; code < 29; code++) lengthSymbol.fill(code, lengthBase[code]);
  const distanceBase: number[] = [];
  for (let code = 0, base = 1; code < 30; code++) {
    distanceBase.push(base);
    base += 1 << distanceExtra(code);
  }
  return {
    symbols,
    lengthSymbol,
    lengthBase,
    distanceBase,
    distanceCode: distanceBase.map((_, code) => reversed(code, 5)),
  };
}

const lengthExtra = (code: number): number => (code < 8 || code > 27 ? 0 : (code >> 2) - 1);
const distanceExtra = (code: number): number => (code < 4 ? 0 : (code >> 1) - 1);

const hashOf = (word: number): number => Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);

/** One final block. */
export function deflate(raw: Uint8Array): Uint8Array {
  tables ??= build();
  const { symbols, lengthSymbol, lengthBase, distanceBase, distanceCode } = tables;
  const out = new Uint8Array(raw.length + (raw.length >> 3) + 16);
  let at = 0;
  let bits = 3;
  let held = 3;
  const put = (value: number, count: number): void => {
    bits |= value << held;
    held += count;
    while (held > 7) {
      out[at++] = bits;
      bits >>>= 8;
      held -= 8;
    }
  };
  const symbol = (number: number): void => {
    const code = symbols[number] as number;
    put(code & 0xffff, code >> 16);
  };
  const heads = new Int32Array(1 << HASH_BITS).fill(-WINDOW - 1);
  /** By position within the window: the one before it with the same hash. */
  const before = new Int32Array(WINDOW);
  const word = (index: number): number =>
    (raw[index] as number) |
    ((raw[index + 1] as number) << 8) |
    ((raw[index + 2] as number) << 16) |
    ((raw[index + 3] as number) << 24);
  const end = raw.length - MIN_MATCH;
  let index = 0;
  while (index < raw.length) {
    let length = 0;
    let distance = 0;
    if (index <= end) {
      const here = word(index);
      let candidate = heads[hashOf(here)] as number;
      const limit = Math.min(MAX_MATCH, raw.length - index);
      for (let tries = 0; tries < MAX_TRIES && index - candidate <= WINDOW; tries++) {
        if (word(candidate) === here && raw[candidate + length] === raw[index + length]) {
          let same = MIN_MATCH;
          while (same < limit && raw[candidate + same] === raw[index + same]) same++;
          if (same > length) {
            length = same;
            distance = index - candidate;
          }
        }
        candidate = before[candidate & (WINDOW - 1)] as number;
      }
    }
    const next = index + (length || 1);
    for (let at = index, last = Math.min(next, end); at < last; at++) {
      const hash = hashOf(word(at));
      before[at & (WINDOW - 1)] = heads[hash] as number;
      heads[hash] = at;
    }
    if (!length) {
      symbol(raw[index++] as number);
      continue;
    }
    const code = lengthSymbol[length] as number;
    symbol(257 + code);
    put(length - (lengthBase[code] as number), lengthExtra(code));
    let far = 31 - Math.clz32(distance - 1 || 1);
    far = distance < 3 ? distance - 1 : 2 * far + (((distance - 1) >> (far - 1)) & 1);
    put(distanceCode[far] as number, 5);
    put(distance - (distanceBase[far] as number), distanceExtra(far));
    index = next;
  }
  symbol(256);
  put(0, 7);
  return out.subarray(0, at);
}
