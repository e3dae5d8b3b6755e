/** Uploads whose length is signed: which of them takes a blob, and what makes its bytes so long. */
import type { Upload } from '../pipeline/model.js';

/** What a store takes of a body's length. */
type Length = Pick<Upload, 'bytes' | 'maxBytes'>;

/** The field's length has 16 bits, and takes 2 bytes itself. */
const MAX_PADDING = 65_537;
/** The field's length, and a subfield's name and length: readers may look for whole ones. */
const MIN_PADDING = 6;
const HEADER_BYTES = 10;
const FEXTRA = 4;

/**
 * How many bytes of padding bring `length` to what an upload takes: 0 where its length is not signed, or has a bound
 * that is kept.
 *
 * @returns `NaN` when no padding does, which is neither more nor less than any number.
 */
export function paddingOf({ bytes, maxBytes }: Length, length: number): number {
  const padding = (bytes ?? Math.min(maxBytes ?? length, length)) - length;
  return padding && (padding < MIN_PADDING || padding > MAX_PADDING) ? Number.NaN : padding;
}

/** Whether an upload takes a body that is made of `length` bytes. */
export function takes(upload: Length, length: number): boolean {
  return paddingOf(upload, length) >= 0;
}

/**
 * The same gzip member, `length` bytes long: an extra field with a subfield of zeros stands behind its header.
 *
 * @param gzip whose header has no optional fields; ours never have. Not changed, and returned when it is so long.
 * @param length what {@link paddingOf} calls possible; undefined: as it is.
 * @see https://www.rfc-editor.org/rfc/rfc1952#section-2.3.1.1
 */
export function padGzip(gzip: Uint8Array<ArrayBuffer>, length: number | undefined): Uint8Array<ArrayBuffer> {
  // A server may write null for what it does not say.
  const padding = (length ?? gzip.length) - gzip.length;
  if (!padding) return gzip;
  const padded = new Uint8Array(gzip.length + padding);
  padded.set(gzip.subarray(0, HEADER_BYTES));
  padded[3] = FEXTRA;
  const [extra, zeros] = [padding - 2, padding - MIN_PADDING];
  // The subfield is called SP. Of a number that is too large for a byte, its lowest eight bits are kept.
  padded.set([extra, extra >> 8, 0x53, 0x50, zeros, zeros >> 8], HEADER_BYTES);
  padded.set(gzip.subarray(HEADER_BYTES), HEADER_BYTES + padding);
  return padded;
}
