/**
 * DEFLATE for a page that is leaving, where nothing can be awaited: in one pass, with fixed codes. It makes as few bytes
 * as fflate's first level in a quarter of the code; a living page uses the browser's `CompressionStream`, which makes a
 * quarter fewer.
 *
 * @see https://www.rfc-editor.org/rfc/rfc1951#section-3.2.6
 */

const MIN_MATCH = 4;
/** One less than the format's, whose longest match has a code of its own. */
const MAX_MATCH = 257;
const WINDOW = 32_768;
const HASH_BITS = 15;
/** Earlier places that are compared. One makes a quarter more bytes, and more of them hardly fewer. */
const MAX_TRIES = 6;

/** Where the codes of match lengths begin among the symbols, and those of distances behind them. */
const LENGTHS = 257;
const DISTANCES = 288;

let table: Uint32Array | undefined;

/** The code of each symbol, last bit first, as codes are sent that way round; and its length above 16 bits. */
const build = (): Uint32Array =>
  Uint32Array.from({ length: DISTANCES + 30 }, (_, symbol) => {
    let [code, count] = [symbol - DISTANCES, 5];
    if (symbol < 144) [code, count] = [symbol + 0x30, 8];
    else if (symbol < 256) [code, count] = [symbol + 0x100, 9];
    else if (symbol < 280) [code, count] = [symbol - 0x100, 7];
    else if (symbol < DISTANCES) [code, count] = [symbol - 0x58, 8];
    let bits = count << 16;
    for (let at = 0; at < count; at++) bits |= ((code >> at) & 1) << (count - 1 - at);
    return bits;
  });

const hashOf = (word: number): number => Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);

/** One final block. */
export function deflate(raw: Uint8Array): Uint8Array {
  table ??= build();
  const symbols = table;
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
  /** A number whose code tells its highest bits, of which `group` beside the first; the others follow as they are. */
  const number = (from: number, value: number, group: number): void => {
    const extra = Math.max(0, 31 - Math.clz32(value) - group);
    symbol(from + (extra << group) + (value >> extra));
    put(value & ((1 << extra) - 1), extra);
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
    number(LENGTHS, length - 3, 2);
    number(DISTANCES, distance - 1, 1);
    index = next;
  }
  symbol(256);
  put(0, 7);
  return out.subarray(0, at);
}
