import { refuse } from '../options.js';
import { gzipBytes } from '../pipeline/compress-fflate.js';
import { GZIP_FROM_BYTES, jsonOf, type OtlpFormat } from './otlp-format.js';
import { spansOf } from './otlp-spans.js';

/** `ProtobufTraceSerializer` of `@opentelemetry/otlp-transformer`, structurally. */
export interface TraceSerializer {
  serializeRequest(spans: never): Uint8Array | undefined;
  deserializeResponse(bytes: Uint8Array): unknown;
}

/** What {@link protobuf} makes, for the option `format`. */
export type OtlpProtobuf = OtlpFormat;

/**
 * OTLP as protobuf, for `otlp({ format: protobuf(ProtobufTraceSerializer) })`.
 *
 * The serializer is handed in rather than imported here: so the package is nobody's dependency but that of those who
 * import it themselves, bundlers leave all of this out for everybody else, and a leaving page has it at hand, which no
 * dynamic import could promise.
 *
 * @throws {TypeError} when it is no serializer.
 * @example
 * import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
 * import { otlp, protobuf } from 'spandrel/otlp';
 * const destination = otlp({ url: 'https://collector.example', format: protobuf(ProtobufTraceSerializer) });
 */
export function protobuf(serializer: TraceSerializer): OtlpProtobuf {
  const { serializeRequest, deserializeResponse } = (serializer ?? {}) as Partial<TraceSerializer>;
  if (typeof serializeRequest !== 'function' || typeof deserializeResponse !== 'function') {
    refuse('serializer', serializer, 'ProtobufTraceSerializer of @opentelemetry/otlp-transformer');
  }
  return {
    contentType: 'application/x-protobuf',
    *bodyOf(blob) {
      const json = new TextDecoder().decode(jsonOf(blob));
      yield;
      const spans = spansOf(json);
      yield;
      const raw = serializer.serializeRequest(spans as never) as Uint8Array<ArrayBuffer> | undefined;
      if (!raw) throw new TypeError('the serializer gave nothing');
      if (raw.length < GZIP_FROM_BYTES) return { bytes: raw, isGzip: false };
      yield;
      return { bytes: gzipBytes(raw).bytes, isGzip: true };
    },
    answerOf: (bytes) => serializer.deserializeResponse(bytes),
  };
}
