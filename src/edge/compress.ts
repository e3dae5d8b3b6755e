/**
 * Stage 3 at the edge: the runtime's `CompressionStream` for every size. A library in JavaScript, cold in most isolates,
 * takes ten milliseconds for the first body (Node 20), which is all that a small plan allows to a request.
 *
 * In runtimes without the stream (Vercel's) `pipeline/compress-fflate.ts` is in this file's place: `#compress` of
 * package.json's `imports`, see `rollup.config.mjs`.
 */
import { type GzipResult, gzipByStream, gzipOf, toUtf8 } from '../pipeline/compress-gzip.js';

/** A stored block's most bytes. RFC 1951, section 3.2.4. */
const BLOCK_BYTES = 65_535;

/** As {@link createCompressor}, in this task: what nothing can compress is put into the container as it is. */
export function gzipNow(json: string): GzipResult {
  return storedIn(toUtf8(json));
}

export function createCompressor(deps: {
  /** The platform's, where it has one. */
  CompressionStream?: typeof CompressionStream | undefined;
  /** The stream failed, or what came out was not the gzip of what went in. */
  onCorrupt(): void;
}): (json: string) => Promise<GzipResult> {
  return async (json) => {
    const raw = toUtf8(json);
    const gzip = deps.CompressionStream && (await gzipByStream(deps.CompressionStream, raw));
    if (!gzip && deps.CompressionStream) deps.onCorrupt();
    return gzip ?? storedIn(raw);
  };
}

function storedIn(raw: Uint8Array<ArrayBuffer>): GzipResult {
  const count = Math.max(1, Math.ceil(raw.length / BLOCK_BYTES));
  const stored = new Uint8Array(raw.length + 5 * count);
  for (let block = 0, at = 0; block < count; block++) {
    const piece = raw.subarray(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES);
    const view = new DataView(stored.buffer, at);
    view.setUint8(0, Number(block === count - 1));
    view.setUint16(1, piece.length, true);
    view.setUint16(3, ~piece.length, true);
    stored.set(piece, at + 5);
    at += 5 + piece.length;
  }
  return gzipOf(raw, stored);
}
