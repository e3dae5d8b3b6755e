import { readBounded } from '../server/bounded-read.js';

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

/** Ten bytes of header and eight of trailer. */
const MIN_GZIP_BYTES = 18;
/** A member begins with these three in all that writes gzip: magic, and deflate. */
const MAGIC = [0x1f, 0x8b, 0x08] as const;
/** By chance they stand in one of 16 MiB, so that so many are no chance. */
const MAX_SUSPECTS = 8;

/**
 * Inflates exactly one gzip member with nothing after it, and not a byte past the limits. Length and CRC are checked.
 *
 * @see https://www.rfc-editor.org/rfc/rfc1952
 */
export async function inflateOne(
  bytes: Uint8Array<ArrayBuffer>,
  { maxObjectBytes, maxInflatedBytes, maxInflateRatio }: InflateLimits,
): Promise<Uint8Array<ArrayBuffer> | Fault<'too-large' | 'not-gzip'>> {
  if (bytes.length > maxObjectBytes) {
    return { reason: 'too-large', message: `${bytes.length} bytes; ${maxObjectBytes} are taken` };
  }
  if (bytes.length < MIN_GZIP_BYTES || !isMemberAt(bytes, 0)) {
    return { reason: 'not-gzip', message: 'it does not begin like gzip' };
  }
  const maxBytes = Math.min(maxInflatedBytes, bytes.length * maxInflateRatio);
  const inflated = await inflate(bytes, maxBytes);
  if (inflated === 'too-large') {
    const what = maxBytes < maxInflatedBytes ? `${maxInflateRatio} times its length` : `${maxBytes} bytes`;
    return { reason: 'too-large', message: `it inflates to more than ${what}` };
  }
  if (inflated === 'broken') return { reason: 'not-gzip', message: 'it is broken off or damaged' };
  if (!(await isOneMember(bytes, inflated.length, maxBytes))) {
    return { reason: 'not-gzip', message: 'something comes after the first gzip member' };
  }
  return inflated;
}

async function inflate(
  bytes: Uint8Array<ArrayBuffer>,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | 'too-large' | 'broken'> {
  const { readable, writable } = new DecompressionStream('gzip');
  const writer = writable.getWriter();
  // What fails here fails the reading as well, and is told there.
  writer.write(bytes).catch(() => undefined);
  writer.close().catch(() => undefined);
  try {
    return (await readBounded(readable, maxBytes)) ?? 'too-large';
  } catch {
    return 'broken';
  }
}

/**
 * Node and Bun read several members as one, and Node passes over what follows the last if it begins with a zero. Other
 * runtimes refuse either. The last four bytes are the length of what was inflated, if that was one member; where they
 * are made to look so, either a further member begins somewhere, and all before it inflates by itself, or the last
 * byte can be missed.
 */
async function isOneMember(
  bytes: Uint8Array<ArrayBuffer>,
  inflatedBytes: number,
  maxBytes: number,
): Promise<boolean> {
  const trailer = new DataView(bytes.buffer, bytes.byteOffset + bytes.byteLength - 4, 4);
  if (trailer.getUint32(0, true) !== inflatedBytes) return false;
  const ends = memberStarts(bytes);
  if (ends.length > MAX_SUSPECTS) return false;
  if (await readsPastZeros()) ends.push(bytes.length - 1);
  for (const end of ends) {
    if ((await inflate(bytes.subarray(0, end), maxBytes)) !== 'broken') return false;
  }
  return true;
}

const isMemberAt = (bytes: Uint8Array, at: number): boolean =>
  MAGIC.every((byte, index) => bytes[at + index] === byte);

/** Where a second member might begin. */
function memberStarts(bytes: Uint8Array): number[] {
  const starts: number[] = [];
  let at = bytes.indexOf(MAGIC[0], MIN_GZIP_BYTES);
  while (at > 0) {
    if (isMemberAt(bytes, at)) starts.push(at);
    at = bytes.indexOf(MAGIC[0], at + 1);
  }
  return starts;
}

let pastZeros: Promise<boolean> | undefined;

/** Whether this runtime does; asked once, with an empty member and a zero. */
function readsPastZeros(): Promise<boolean> {
  const bytes = new Uint8Array(21);
  bytes.set([...MAGIC, 0, 0, 0, 0, 0, 0, 0xff, 3]);
  pastZeros ??= inflate(bytes, 1).then((inflated) => inflated !== 'broken');
  return pastZeros;
}
