/** Blobs made by hand. For tests only. */
import type { TraceBlob } from '../pipeline/model.js';

let serial = 0;

export function handMadeBlob(fields: Partial<TraceBlob> = {}): TraceBlob {
  return {
    id: `blob-${++serial}`,
    page: '01990000-0000-7000-8000-000000000000',
    seq: serial,
    bornAtMillis: 1_790_000_000_000,
    isAdopted: false,
    isMixed: false,
    state: 'packed',
    parts: [],
    traces: new Map(),
    spanCount: 1,
    error: false,
    chars: 100,
    bytes: new Uint8Array(10),
    rawBytes: 100,
    attempts: 0,
    notBeforeMillis: 0,
    again: false,
    upload: undefined,
    token: undefined,
    ...fields,
  };
}
