/** Blobs made by hand. For tests only. */
import { newBlob, type TraceBlob, type Upload } from '../pipeline/model.js';

let serial = 0;

export function handMadeBlob(fields: Partial<TraceBlob> = {}): TraceBlob {
  return {
    ...newBlob(`blob-${++serial}`, '01990000-0000-7000-8000-000000000000'),
    seq: serial,
    bornAtMillis: 1_790_000_000_000,
    state: 'packed',
    spanCount: 1,
    chars: 100,
    bytes: new Uint8Array(10),
    rawBytes: 100,
    ...fields,
  };
}

export function handMadeUpload(fields: Partial<Upload> = {}): Upload {
  return {
    method: 'PUT',
    url: `https://bucket.test/key-${++serial}`,
    headers: {},
    endsAtMillis: 900_000,
    ...fields,
  };
}
