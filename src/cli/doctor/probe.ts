import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { VERSION } from '../../version.js';
import { padGzip, takes } from '../../wire/upload-length.js';
import type { Upload } from './untrusted-answer.js';
import { DOCTOR_SERVICE } from './world.js';

/** Length of what doctor asks to upload, bytes: more than the probe needs. */
export const PROBE_BYTES = 1_024;
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

/** A probe that an upload takes; undefined where it takes none of this length. */
export function probeFor(upload: Upload): Uint8Array<ArrayBuffer> | undefined {
  const probe = makeProbe(Date.now());
  return takes(upload, probe.length) ? padGzip(probe, upload.bytes) : undefined;
}
