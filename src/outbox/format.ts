/** Reads what earlier pages wrote down: anybody on this origin may have written there. */

import { parseJson } from '../json.js';
import { newBlob, type Part, type TraceBlob } from '../pipeline/model.js';
import { bodyOf, count } from '../pipeline/pack.js';
import type { TraceSummary } from '../protocol.js';

/** Of the keys and of the records. Format 1, of version 0.1.0, is read by `format-1.ts`. */
export const FORMAT = '2';

export interface BlobRecord {
  bytes: Uint8Array<ArrayBuffer>;
  rawBytes: number;
  traces: TraceSummary[];
}

export type StateRecord = Pick<
  TraceBlob,
  'seq' | 'attempts' | 'notBeforeMillis' | 'again' | 'upload' | 'token'
> & { isHeld?: boolean };

/**
 * A blob as its records say, which an earlier page left.
 *
 * @param records all below its key, by the last part of theirs.
 * @returns the blob, and the records that are none of ours.
 */
export function blobOf(
  page: string,
  id: string,
  records: ReadonlyMap<string, unknown>,
): { blob: TraceBlob | undefined; corrupt: string[] } {
  const blob = newBlob(id, page);
  // Its page is gone: whatever it sent has no answer any more.
  Object.assign(blob, { isAdopted: true, state: 'closed', again: true });
  const corrupt: string[] = [];
  for (const [name, value] of records) {
    try {
      if (name === 'state') readState(blob, value as StateRecord);
      else if (name === 'blob') readBytes(blob, value as BlobRecord);
      else readPart(blob, value as Part);
    } catch {
      corrupt.push(name);
    }
  }
  return { blob: blob.bytes || blob.parts.length ? blob : undefined, corrupt };
}

function readState(
  blob: TraceBlob,
  { seq, attempts, notBeforeMillis, isHeld, again, upload, token }: StateRecord,
): void {
  blob.seq = countOf(seq);
  blob.attempts = countOf(attempts);
  blob.notBeforeMillis = countOf(notBeforeMillis);
  blob.isHeld = isHeld === true;
  // Its clock is not ours.
  blob.upload = upload && { ...upload, endsAtMillis: 0 };
  // What goes under another name than its own is written down as sent before it is.
  if (upload?.key !== undefined) blob.again = again === true;
  if (typeof token === 'string') blob.token = token;
}

/** A gzip member says at its end how long its content is; ours has no optional fields, so that it can be padded. */
function readBytes(blob: TraceBlob, { bytes, rawBytes, traces }: BlobRecord): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  check(view.getUint32(0) === 0x1f8b0800 && view.getUint32(bytes.length - 4, true) === rawBytes);
  countAll(blob, traces);
  Object.assign(blob, { bytes, rawBytes, state: 'packed' });
}

function readPart(blob: TraceBlob, { texts, traces }: Part): void {
  const part = { texts, traces };
  const body = bodyOf([part]);
  parseJson(body);
  countAll(blob, traces);
  blob.parts.push(part);
  blob.chars += body.length;
}

function countAll(blob: TraceBlob, traces: readonly TraceSummary[]): void {
  for (const { traceId, spanCount } of traces) check(typeof traceId === 'string' && countOf(spanCount) > 0);
  for (const summary of traces) count(blob, summary);
}

const countOf = (value: number): number => (Number.isSafeInteger(value) && value > 0 ? value : 0);

function check(isRight: boolean): void {
  if (!isRight) throw new TypeError();
}
