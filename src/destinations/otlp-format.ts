/** What a collector is sent of a blob. */
import { gunzipNow } from '../pipeline/compress-fflate.js';

/** A request as the pipeline packs it: one gzip member, or plain while nothing compresses yet. */
export interface Packed {
  bytes: Uint8Array<ArrayBuffer>;
  /** Inflated. */
  rawBytes: number;
}

export interface OtlpBody {
  bytes: Uint8Array<ArrayBuffer>;
  /** Whether these are one gzip member. */
  isGzip: boolean;
}

export interface OtlpFormat {
  readonly contentType: string;
  /**
   * The body of the blob's request. A living page takes other work at each `yield`; a leaving one goes straight on.
   *
   * @throws when the blob's bytes are not what they should be.
   */
  bodyOf(blob: Packed): Generator<undefined, OtlpBody, undefined>;
  /** The `ExportTraceServiceResponse` in an answer that is no JSON. @throws when it is none. */
  readonly answerOf?: (bytes: Uint8Array) => unknown;
}

/** Below, gzip gains less than it costs. */
export const GZIP_FROM_BYTES = 1_024;

/** What is plain begins with a brace. */
const isGzip = ({ bytes }: Packed): boolean => bytes[0] !== 0x7b;

/** OTLP/JSON. @throws when the gzip is none. */
export const jsonOf = (blob: Packed): Uint8Array<ArrayBuffer> =>
  isGzip(blob) ? gunzipNow(blob.bytes, blob.rawBytes) : blob.bytes;

/** OTLP/JSON: the blob as it is, or inflated where it is small. */
export const jsonFormat: OtlpFormat = {
  contentType: 'application/json',
  // biome-ignore lint/correctness/useYield: it is one step
  *bodyOf(blob) {
    return blob.rawBytes >= GZIP_FROM_BYTES && isGzip(blob)
      ? { bytes: blob.bytes, isGzip: true }
      : { bytes: jsonOf(blob), isGzip: false };
  },
};
