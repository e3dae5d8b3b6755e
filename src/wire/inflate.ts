import { readBounded } from './bounded-read.js';

/** What is wrong with an object. Not an exception: it is expected. */
export interface Fault<Reason extends string> {
  reason: Reason;
  message: string;
}

export interface InflateLimits {
  maxObjectBytes: number;
  maxInflatedBytes: number;
  /** Inflated bytes per gzip byte. */
  maxInflateRatio: number;
}

/** What is inside `bytes`. @throws {RangeError} when that is more than `maxBytes`; anything else when it is no gzip. */
export type Gunzip = (bytes: Uint8Array, maxBytes: number) => Uint8Array | Promise<Uint8Array>;

/** Ten bytes of header and eight of trailer. */
const MIN_GZIP_BYTES = 18;
/** A member begins with these three in all that writes gzip: magic, and deflate. */
export const GZIP_MAGIC = [0x1f, 0x8b, 0x08] as const;
/** By chance three bytes stand in one of 16 MiB, so that so many are no chance. */
export const MAX_SUSPECTED_BEGINS = 8;

/**
 * Inflates exactly one gzip member with nothing after it, and not a byte past the limits. Length and CRC are checked.
 *
 * @see https://www.rfc-editor.org/rfc/rfc1952
 */
export async function inflateOne(
  bytes: Uint8Array<ArrayBuffer>,
  { maxObjectBytes, maxInflatedBytes, maxInflateRatio }: InflateLimits,
  gunzip: Gunzip = gunzipStream,
): Promise<Uint8Array | Fault<'too-large' | 'not-gzip'>> {
  if (bytes.length > maxObjectBytes) {
    return { reason: 'too-large', message: `${bytes.length} bytes; ${maxObjectBytes} are taken` };
  }
  if (bytes.length < MIN_GZIP_BYTES || !GZIP_MAGIC.every((byte, index) => bytes[index] === byte)) {
    return { reason: 'not-gzip', message: 'it does not begin like gzip' };
  }
  const maxBytes = Math.min(maxInflatedBytes, bytes.length * maxInflateRatio);
  const inflated = await inflate(bytes, maxBytes, gunzip);
  if (inflated === 'too-large') {
    const what = maxBytes < maxInflatedBytes ? `${maxInflateRatio} times its length` : `${maxBytes} bytes`;
    return { reason: 'too-large', message: `it inflates to more than ${what}` };
  }
  if (inflated === 'broken') return { reason: 'not-gzip', message: 'it is broken off or damaged' };
  if (!(await isOneMember(bytes, inflated.length, maxBytes, gunzip))) {
    return { reason: 'not-gzip', message: 'something comes after the first gzip member' };
  }
  return inflated;
}

async function inflate(
  bytes: Uint8Array<ArrayBuffer>,
  maxBytes: number,
  gunzip: Gunzip,
): Promise<Uint8Array | 'too-large' | 'broken'> {
  try {
    const inflated = await gunzip(bytes, maxBytes);
    return inflated.length > maxBytes ? 'too-large' : inflated;
  } catch (error) {
    // By name: under Jest, Node's own errors are of another realm.
    return (error as Error | undefined)?.name === 'RangeError' ? 'too-large' : 'broken';
  }
}

/** In every runtime. */
async function gunzipStream(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const { readable, writable } = new DecompressionStream('gzip');
  const writer = writable.getWriter();
  // What fails here fails the reading as well, and is told there.
  writer.write(bytes as Uint8Array<ArrayBuffer>).catch(() => undefined);
  writer.close().catch(() => undefined);
  const inflated = await readBounded(readable, maxBytes);
  if (!inflated) throw new RangeError('too large');
  return inflated;
}

/**
 * Node and Bun read several members as one, and Node passes over what follows the last if it begins with a zero; other
 * runtimes have refused both. The last four bytes are the length of what was inflated, if that was one member. Where
 * they are made to look so, a further member begins somewhere, or the true length stands somewhere with a zero after
 * it, and all before that inflates by itself.
 */
async function isOneMember(
  bytes: Uint8Array<ArrayBuffer>,
  inflatedBytes: number,
  maxBytes: number,
  gunzip: Gunzip,
): Promise<boolean> {
  const trailer = bytes.subarray(-4);
  if (new DataView(trailer.buffer, trailer.byteOffset, 4).getUint32(0, true) !== inflatedBytes) return false;
  const ends = [
    ...placesOf(GZIP_MAGIC, bytes, MIN_GZIP_BYTES - GZIP_MAGIC.length),
    ...placesOf([...trailer, 0], bytes, MIN_GZIP_BYTES - trailer.length - 1).map((at) => at + trailer.length),
  ];
  if (ends.length > MAX_SUSPECTED_BEGINS) return false;
  for (const end of ends) {
    if ((await inflate(bytes.subarray(0, end), maxBytes, gunzip)) !== 'broken') return false;
  }
  return true;
}

/** Where `word` stands, from a place on: a few more than may be at most. */
export function placesOf(word: readonly number[], bytes: Uint8Array, from: number): number[] {
  const places: number[] = [];
  const [first = 0] = word;
  let at = bytes.indexOf(first, from);
  while (at >= 0 && places.length <= MAX_SUSPECTED_BEGINS) {
    if (word.every((byte, index) => bytes[at + index] === byte)) places.push(at);
    at = bytes.indexOf(first, at + 1);
  }
  return places;
}
