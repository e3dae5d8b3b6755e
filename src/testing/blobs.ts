/** Blobs and uploads made by hand. For tests only. */
import type { PresignedUpload, TraceBlob } from '../pipeline/model.js';

let serial = 0;

export function handMadeBlob(fields: Partial<TraceBlob> = {}): TraceBlob {
  return {
    id: `blob-${++serial}`,
    page: '01990000-0000-7000-8000-000000000000',
    seq: serial,
    bytes: new Uint8Array(10),
    rawBytes: 100,
    spanCount: 1,
    error: false,
    traces: [],
    sealedAtMillis: 1_790_000_000_000,
    attempts: 0,
    notBeforeMillis: 0,
    ...fields,
  };
}

export function handMadeUpload(fields: Partial<PresignedUpload> = {}): PresignedUpload {
  const key = `key-${++serial}`;
  return {
    method: 'PUT',
    url: `https://bucket.test/${key}`,
    headers: {},
    key,
    token: `t-${key}`,
    expiresInMs: 900_000,
    ...fields,
  };
}
