import type { Signal } from '../object-key.js';
import { gzip } from '../wire/gzip.js';
import { GZIP_MAGIC, MAX_SUSPECTED_BEGINS, placesOf as placesFrom } from '../wire/inflate.js';
import { SIGNALS } from '../wire/otlp-json.js';
import { createTraceScanner } from './json-scan.js';
import { Refusal } from './refusal.js';

export interface InflateLimits {
  maxInflatedBytes: number;
  /** Inflated bytes per gzip byte. */
  maxInflateRatio: number;
}

/** Ten bytes. */
const HEADER_BYTES = 10;
/** A checksum and a length, of four bytes each. */
const TRAILER_BYTES = 8;
/** By chance a length stands in one of 4 GiB, so that two are no chance. Each costs as much as the whole. */
const MAX_SUSPECTED_ENDS = 1;

/** Looks at the first bytes, which costs nothing. @throws {Refusal} `malformed` when they do not begin like gzip. */
export function checkMagic(bytes: Uint8Array): void {
  if (
    bytes.length < HEADER_BYTES + TRAILER_BYTES ||
    GZIP_MAGIC.some((byte, index) => bytes[index] !== byte)
  ) {
    throw new Refusal('malformed', 'the body is not gzip');
  }
}

/**
 * Checks that `bytes` are one gzip member of one OTLP/JSON request, with nothing behind it, as far as a reader of the
 * bucket depends on it: they inflate within the limits, their length and CRC are right, and inside is an object with
 * `resourceSpans`, or of logs `resourceLogs`. What is in the spans is not looked at. Nothing of what is inflated is kept.
 *
 * @throws {Refusal} `malformed`, or `too_large` when they inflate past a limit.
 * @see https://www.rfc-editor.org/rfc/rfc1952
 */
export async function checkTraceBytes(
  bytes: Uint8Array<ArrayBuffer>,
  { maxInflatedBytes, maxInflateRatio }: InflateLimits,
  signal: Signal = 'traces',
): Promise<void> {
  checkMagic(bytes);
  const maxBytes = Math.min(maxInflatedBytes, Math.floor(bytes.length * maxInflateRatio));
  const notOne = (): Refusal => new Refusal('malformed', 'the body is not one gzip member, or is damaged');
  // The last four bytes say the length.
  const length = new DataView(bytes.buffer, bytes.byteOffset + bytes.byteLength - 4, 4).getUint32(0, true);
  const begins = placesOf(GZIP_MAGIC, bytes);
  const ends = placesOf(Array.from(bytes.subarray(-4)), bytes.subarray(0, -1)).map((at) => at + 4);
  if (begins.length > MAX_SUSPECTED_BEGINS || ends.length > MAX_SUSPECTED_ENDS) throw notOne();
  // Members before the last hold nothing, else the last would not tell the length of all.
  for (const begin of begins) if ((await inflate(bytes.subarray(0, begin), 0)) === 'whole') throw notOne();
  for (const end of ends) if ((await inflate(bytes.subarray(0, end), length)) === 'whole') throw notOne();

  const scanner = createTraceScanner(length, signal);
  const outcome = await inflate(bytes, Math.min(length, maxBytes), (chunk) => scanner.push(chunk));
  if (outcome !== 'damaged' && length > maxBytes)
    throw new Refusal('too_large', 'the body inflates past the limit');
  if (outcome === 'refused' || (outcome === 'whole' && !scanner.isWhole())) {
    throw noRequest(signal);
  }
  if (outcome !== 'whole') throw notOne();
}

/** Whether bytes begin as JSON does, which gzip never does. */
export function isJson(bytes: Uint8Array): boolean {
  return (
    bytes[0] === 0x7b || bytes[0] === 0x20 || bytes[0] === 0x0a || bytes[0] === 0x0d || bytes[0] === 0x09
  );
}

/**
 * OTLP/JSON as one gzip member.
 *
 * @throws {Refusal} `malformed` when it is not one request, as {@link checkTraceBytes} has it.
 */
export async function gzipTraces(
  json: Uint8Array<ArrayBuffer>,
  signal: Signal = 'traces',
): Promise<Uint8Array<ArrayBuffer>> {
  const scanner = createTraceScanner(json.length, signal);
  if (!scanner.push(json) || !scanner.isWhole()) throw noRequest(signal);
  return gzip(json);
}

const noRequest = (signal: Signal): Refusal =>
  new Refusal(
    'malformed',
    `the body is not a JSON object in UTF-8 with one array of ${SIGNALS[signal].resources}, or it is nested too deeply or mostly brackets`,
  );

/** What became of it: `whole` is of exactly the length, `refused` is what `take` wanted no more of. */
type Inflated = 'whole' | 'longer' | 'refused' | 'damaged';

/** Inflates no more than `length` bytes, and keeps none. */
async function inflate(
  bytes: Uint8Array<ArrayBuffer>,
  length: number,
  take: (chunk: Uint8Array) => boolean = () => true,
): Promise<Inflated> {
  const { readable, writable } = new DecompressionStream('gzip');
  const writer = writable.getWriter();
  // What fails here fails the reading as well, and is told there.
  writer.write(bytes).catch(() => undefined);
  writer.close().catch(() => undefined);
  const reader = readable.getReader();
  let left = length;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return left === 0 ? 'whole' : 'damaged';
      left -= value.byteLength;
      const isEnough = left < 0 || !take(value);
      if (!isEnough) continue;
      await reader.cancel();
      return left < 0 ? 'longer' : 'refused';
    }
  } catch {
    return 'damaged';
  }
}

/**
 * Where `word` stands behind the header.
 *
 * Node and Bun read several members as one, and Node passes over what follows the last if it begins with a zero; other
 * runtimes refuse both. So these are places where a further member may begin, or one may end: what is before them must
 * not be whole by itself.
 */
const placesOf = (word: readonly number[], bytes: Uint8Array): number[] =>
  placesFrom(word, bytes, headerLength(bytes));

/** Of the first member: in its extra field, name and comment may stand anything. */
function headerLength(bytes: Uint8Array): number {
  const flags = bytes[3] ?? 0;
  let length = HEADER_BYTES;
  if (flags & 4) length += 2 + (bytes[length] ?? 0) + 256 * (bytes[length + 1] ?? 0);
  for (const flag of [8, 16]) {
    if (flags & flag) length = bytes.indexOf(0, length) + 1 || bytes.length;
  }
  return length + (flags & 2);
}
