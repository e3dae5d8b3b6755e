/** OTLP/JSON text in, one gzip member out. */

import { deflate } from './compress-deflate.js';
import { type GzipResult, gzipByStream, gzipOf, toUtf8 } from './compress-gzip.js';

export interface CompressorDeps {
  /** The platform's, where it has one. */
  CompressionStream?: typeof CompressionStream | undefined;
  /** The stream failed, or what came out was not the gzip of what went in; it was then made without it. */
  onCorrupt(): void;
}

const gzipBytes = (raw: Uint8Array<ArrayBuffer>): GzipResult => gzipOf(raw, deflate(raw));

/**
 * Compresses at once, in this task: for leaving, where anything asynchronous is lost. Lone surrogates become U+FFFD.
 * The same text gives the same bytes, on every machine and at every time.
 */
export const gzipNow = (json: string): GzipResult => gzipBytes(toUtf8(json));

/**
 * Gives the compressor for a page that lives: its `CompressionStream`, which makes a quarter fewer bytes off the main
 * thread. Bad output and platforms without the stream: in this task.
 *
 * The promise never rejects for reasons of the stream.
 */
export function createCompressor(deps: CompressorDeps): (json: string) => Promise<GzipResult> {
  return async (json) => {
    const raw = toUtf8(json);
    if (deps.CompressionStream) {
      const gzip = await gzipByStream(deps.CompressionStream, raw);
      if (gzip) return gzip;
      deps.onCorrupt();
    }
    return gzipBytes(raw);
  };
}
