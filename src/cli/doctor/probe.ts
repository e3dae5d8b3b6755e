import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { VERSION } from '../../version.js';
import { DOCTOR_SERVICE } from './settings.js';

/** Length of what doctor asks to upload, bytes: more than the probe needs. */
export const PROBE_BYTES = 1_024;
/** Of an `FEXTRA` field, with its own length: two bytes for that, and what two bytes can count. */
const MIN_FIELD = 2;
const MAX_FIELD = 65_535 + 2;
const FEXTRA = 4;
const GZIP_HEADER = 10;

/** One OTLP/JSON request with one span, as gzip. */
export function makeProbe(atMillis: number): Uint8Array<ArrayBuffer> {
  const nanos = (millis: number): string => String(BigInt(Math.round(millis)) * 1_000_000n);
  const text = (key: string, value: string) => ({ key, value: { stringValue: value } });
  const span = {
    traceId: randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    name: 'doctor',
    kind: 1,
    startTimeUnixNano: nanos(atMillis - 1),
    endTimeUnixNano: nanos(atMillis),
    attributes: [],
    status: {},
  };
  const request = {
    resourceSpans: [
      {
        resource: { attributes: [text('service.name', DOCTOR_SERVICE)] },
        scopeSpans: [{ scope: { name: DOCTOR_SERVICE, version: VERSION }, spans: [span] }],
      },
    ],
  };
  return new Uint8Array(gzipSync(JSON.stringify(request)));
}

/**
 * Makes gzip exactly so long by an `FEXTRA` field, which every reader passes over.
 *
 * @returns undefined where there is no room for one.
 * @see https://www.rfc-editor.org/rfc/rfc1952#section-2.3.1.1
 */
export function padGzip(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> | undefined {
  if (bytes.length === length) return bytes;
  const field = length - bytes.length;
  if (field < MIN_FIELD || field > MAX_FIELD) return undefined;
  const padded = new Uint8Array(length);
  padded.set(bytes.subarray(0, GZIP_HEADER));
  padded[3] = (bytes[3] ?? 0) | FEXTRA;
  new DataView(padded.buffer).setUint16(GZIP_HEADER, field - MIN_FIELD, true);
  padded.set(bytes.subarray(GZIP_HEADER), GZIP_HEADER + field);
  return padded;
}
