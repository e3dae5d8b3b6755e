/** Stage 3 of 8: OTLP/JSON text in, one gzip member out; and back, for destinations that take it otherwise. */
import { deflateSync, inflateSync } from 'fflate';

/**
 * From this many bytes of UTF-8 on, a `CompressionStream` is worth its fixed cost. Browser spans, milliseconds,
 * stream with check against fflate, medians on a busy machine: Chromium 156 at 16 KiB 0.23 to 0.33, 64 KiB 0.8 to
 * 1.2, 256 KiB 2.9 to 4.8; Node 20 at 16 KiB 0.42 to 0.28, 32 KiB 0.54 to 0.52, 256 KiB 2.5 to 4.3. Below, Chromium
 * would gain up to 0.1 ms by the stream and Node lose up to 0.3.
 */
const STREAM_FROM_BYTES = 16_384;

const TRAILER_BYTES = 8;

/** Several times what is ever sealed. A record of the database may claim anything. */
const MAX_RAW_BYTES = 64 * 1024 * 1024;

/** Magic, DEFLATE, no flags, no time, no hint, unknown system. */
const HEADER = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

export interface GzipResult {
  /** One gzip member; the caller's own. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Bytes of UTF-8 before compression. */
  rawBytes: number;
}

export interface CompressorDeps {
  /** The platform's, where it has one. */
  CompressionStream?: typeof CompressionStream | undefined;
  /** The stream failed, or what came out was not the gzip of what went in; fflate did the work instead. */
  onCorrupt(): void;
}

/**
 * Compresses at once, in this task: for leaving, where anything asynchronous is lost, and for small bodies.
 * Lone surrogates become U+FFFD. The same text gives the same bytes, on every machine and at every time.
 */
export function gzipNow(json: string): GzipResult {
  return gzipBytes(toUtf8(json));
}

/**
 * Gives the compressor for a page that lives. Large bodies go through `CompressionStream`, which is faster and
 * makes fewer bytes; its output is checked, because browsers have shipped some that gave partial output with no
 * error. Small bodies, bad output, and platforms without the stream: fflate.
 *
 * The check reads header and trailer (CRC-32 and length of the input, RFC 1952 section 2.3.1). It finds output
 * that is cut off or was made from other bytes; it does not inflate, so a bit flipped midway is left to the
 * reader's own CRC check.
 *
 * The promise never rejects for reasons of the stream.
 *
 * @see https://github.com/PostHog/posthog-js/issues/3564
 */
export function createCompressor(deps: CompressorDeps): (json: string) => Promise<GzipResult> {
  return async (json) => {
    const raw = toUtf8(json);
    if (deps.CompressionStream && raw.length >= STREAM_FROM_BYTES) {
      try {
        const bytes = await throughStream(new deps.CompressionStream('gzip'), raw);
        if (isGzipOf(bytes, raw)) return { bytes, rawBytes: raw.length };
      } catch {
        // As bad output.
      }
      deps.onCorrupt();
    }
    return gzipBytes(raw);
  };
}

/**
 * What {@link gzipNow} or a compressor was given, as UTF-8. In this task.
 *
 * @param rawBytes how many that are: no more is ever written.
 * @throws when `bytes` are not the gzip of so many, or these are over 64 MiB.
 */
export function gunzipNow(bytes: Uint8Array<ArrayBuffer>, rawBytes: number): Uint8Array<ArrayBuffer> {
  if (rawBytes > MAX_RAW_BYTES) throw new RangeError(`${rawBytes} bytes are no blob`);
  const deflated = bytes.subarray(HEADER.length, -TRAILER_BYTES);
  const raw = inflateSync(deflated, { out: new Uint8Array(rawBytes) });
  if (!isGzipOf(bytes, raw)) throw new RangeError('the gzip is damaged');
  return raw;
}

/**
 * UTF-8, lone surrogates as U+FFFD. `encodeInto`, because `encode` takes 2.5 times as long in Chromium 156 (5.4
 * against 2.2 ms for 1.4 MB); a UTF-16 unit is at most 3 bytes, and pages that nobody writes to cost nothing.
 */
export function toUtf8(text: string): Uint8Array<ArrayBuffer> {
  const room = new Uint8Array(text.length * 3);
  return room.subarray(0, new TextEncoder().encodeInto(text, room).written);
}

/**
 * Compresses at once, in this task: one gzip member around fflate's DEFLATE; fflate's own container would bring a second CRC-32.
 *
 * No time in the header: the same input gives the same bytes. Level 6, the default: 501 kB of browser spans become
 * 35.3 kB in 7.9 ms; level 1 makes 44.4 kB in 6.0 ms, level 9 makes 35.0 kB in 8.5 ms (Node 20).
 *
 * @see https://www.rfc-editor.org/rfc/rfc1952#section-2.3
 */
export function gzipBytes(raw: Uint8Array<ArrayBuffer>): GzipResult {
  const deflated = deflateSync(raw);
  const bytes = new Uint8Array(HEADER.length + deflated.length + TRAILER_BYTES);
  bytes.set(HEADER);
  bytes.set(deflated, HEADER.length);
  const trailer = new DataView(bytes.buffer, HEADER.length + deflated.length);
  trailer.setUint32(0, crc32(raw), true);
  trailer.setUint32(4, raw.length, true);
  return { bytes, rawBytes: raw.length };
}

async function throughStream(
  stream: CompressionStream,
  raw: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  // Through the writer: a Blob's stream piped through costs five times the main thread's time. All three at
  // once: a write settles only when somebody reads, and no rejection may go unhandled.
  const writer = stream.writable.getWriter();
  const [buffer] = await Promise.all([
    new Response(stream.readable).arrayBuffer(),
    writer.write(raw),
    writer.close(),
  ]);
  return new Uint8Array(buffer);
}

/** @throws {RangeError} when the bytes are too few to have a trailer. */
function isGzipOf(bytes: Uint8Array<ArrayBuffer>, raw: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const trailer = bytes.length - TRAILER_BYTES;
  return (
    view.getUint32(0) >>> 8 === 0x1f8b08 &&
    view.getUint32(trailer + 4, true) === raw.length >>> 0 &&
    view.getUint32(trailer, true) === crc32(raw)
  );
}

let crcTable: Uint32Array | undefined;

/** CRC-32 as gzip has it: reflected polynomial 0xEDB88320. */
function crc32(bytes: Uint8Array): number {
  crcTable ??= Uint32Array.from({ length: 256 }, (_, index) => {
    let crc = index;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    return crc;
  });
  let crc = 0xffffffff;
  for (let index = 0; index < bytes.length; index++) {
    crc = (crc >>> 8) ^ (crcTable[(crc ^ (bytes[index] as number)) & 0xff] as number);
  }
  return ~crc >>> 0;
}
