/** Stage 3 of 8: OTLP/JSON text in, one gzip member out; and back, for destinations that take it otherwise. */
import { deflateSync, inflateSync } from 'fflate';
import { type GzipResult, gzipByStream, gzipOf, inflatedFrom, toUtf8 } from './compress-gzip.js';

/**
 * From this many bytes of UTF-8 on, a `CompressionStream` is worth its fixed cost. Browser spans, milliseconds,
 * stream with check against fflate, medians on a busy machine: Chromium 156 at 16 KiB 0.23 to 0.33, 64 KiB 0.8 to
 * 1.2, 256 KiB 2.9 to 4.8; Node 20 at 16 KiB 0.42 to 0.28, 32 KiB 0.54 to 0.52, 256 KiB 2.5 to 4.3. Below, Chromium
 * would gain up to 0.1 ms by the stream and Node lose up to 0.3.
 */
const STREAM_FROM_BYTES = 16_384;

/** Several times what is ever sealed. A record of the database may claim anything. */
const MAX_RAW_BYTES = 64 * 1024 * 1024;

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
 * makes fewer bytes. Small bodies, bad output, and platforms without the stream: fflate.
 *
 * The promise never rejects for reasons of the stream.
 */
export function createCompressor(deps: CompressorDeps): (json: string) => Promise<GzipResult> {
  return async (json) => {
    const raw = toUtf8(json);
    if (deps.CompressionStream && raw.length >= STREAM_FROM_BYTES) {
      const gzip = await gzipByStream(deps.CompressionStream, raw);
      if (gzip) return gzip;
      deps.onCorrupt();
    }
    return gzipBytes(raw);
  };
}

/**
 * Compresses at once, in this task, by fflate's DEFLATE; fflate's own container would bring a second CRC-32.
 *
 * Level 6, the default: 501 kB of browser spans become 35.3 kB in 7.9 ms; level 1 makes 44.4 kB in 6.0 ms, level 9
 * makes 35.0 kB in 8.5 ms (Node 20).
 */
export function gzipBytes(raw: Uint8Array<ArrayBuffer>): GzipResult {
  return gzipOf(raw, deflateSync(raw));
}

/**
 * What {@link gzipNow} or a compressor was given, as UTF-8. In this task.
 *
 * @param rawBytes how many that are: no more is ever written.
 * @throws when `bytes` are not the gzip of so many, or these are over 64 MiB.
 */
export function gunzipNow(bytes: Uint8Array<ArrayBuffer>, rawBytes: number): Uint8Array<ArrayBuffer> {
  if (rawBytes > MAX_RAW_BYTES) throw new RangeError(`${rawBytes} bytes are no blob`);
  return inflatedFrom(bytes, (deflated) => inflateSync(deflated, { out: new Uint8Array(rawBytes) }));
}
