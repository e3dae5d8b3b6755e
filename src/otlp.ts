/**
 * The OTLP/HTTP destination: traces to a collector of yours, beside a bucket or in its place. See src/destinations/README.md.
 *
 * @module
 */

export { type OtlpOptions, otlp } from './destinations/otlp.js';
export type { OtlpHeaders } from './destinations/otlp-headers.js';
export { type OtlpProtobuf, protobuf, type TraceSerializer } from './destinations/otlp-protobuf.js';
