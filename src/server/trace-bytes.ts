import { readBounded } from './bounded-read.js';
import { Refusal } from './refusal.js';
import { parseJsonObject } from './untrusted-body.js';

export interface InflateLimits {
  maxInflatedBytes: number;
  /** Inflated bytes per gzip byte. */
  maxInflateRatio: number;
}

/** Ten bytes of header and eight of trailer. */
const MIN_GZIP_BYTES = 18;

/**
 * Checks that `bytes` are one gzip member of one OTLP/JSON request, as far as a reader of the bucket depends on
 * it: they inflate within the limits, their length and CRC are right, and inside is an object with `resourceSpans`.
 * What is in the spans is not looked at.
 *
 * @throws {Refusal} `malformed`, or `too_large` when they inflate past a limit; nothing beyond it is inflated.
 * @see https://www.rfc-editor.org/rfc/rfc1952
 */
export async function checkTraceBytes(bytes: Uint8Array<ArrayBuffer>, limits: InflateLimits): Promise<void> {
  const maxBytes = Math.min(limits.maxInflatedBytes, bytes.length * limits.maxInflateRatio);
  const inflated = await inflate(bytes, maxBytes);
  if (!inflated) throw new Refusal('too_large', 'the body inflates past the limit');
  // Some runtimes read several members as one, or pass over what follows the first. The length in the last four
  // bytes is then that of something else.
  const trailer = new DataView(bytes.buffer, bytes.byteOffset + bytes.byteLength - 4, 4);
  if (trailer.getUint32(0, true) !== inflated.length) {
    throw new Refusal('malformed', 'the body is not one gzip member');
  }
  const { resourceSpans } = parseJsonObject(inflated);
  if (!Array.isArray(resourceSpans)) {
    throw new Refusal('malformed', 'the body holds no resourceSpans');
  }
}

async function inflate(bytes: Uint8Array<ArrayBuffer>, maxBytes: number) {
  if (bytes.length < MIN_GZIP_BYTES) throw new Refusal('malformed', 'the body is not gzip');
  try {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
    return await readBounded(stream, maxBytes);
  } catch {
    throw new Refusal('malformed', 'the body is not gzip');
  }
}
