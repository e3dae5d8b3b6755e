/** What a collector is sent of a blob. */
import { gunzipNow } from '../pipeline/compress-fflate.js';
import type { TraceBlob } from '../pipeline/model.js';

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
  bodyOf(blob: TraceBlob): Generator<undefined, OtlpBody, undefined>;
  /** The `ExportTraceServiceResponse` in an answer that is no JSON. @throws when it is none. */
  readonly answerOf?: (bytes: Uint8Array) => unknown;
}

/** Below, gzip gains less than it costs. */
export const GZIP_FROM_BYTES = 1_024;

/** OTLP/JSON: the blob as it is, or inflated where it is small. */
export const jsonFormat: OtlpFormat = {
  contentType: 'application/json',
  // biome-ignore lint/correctness/useYield: it is one step
  *bodyOf({ bytes, rawBytes }) {
    return rawBytes >= GZIP_FROM_BYTES
      ? { bytes, isGzip: true }
      : { bytes: gunzipNow(bytes, rawBytes), isGzip: false };
  },
};
