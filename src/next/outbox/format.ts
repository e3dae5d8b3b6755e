/** Reads what earlier pages wrote down: anybody on this origin may have written there. */
import type { StoreKey } from '../../platform/platform.js';
import type { TraceSummary } from '../../protocol.js';
import type { Part, TraceBlob } from '../pipeline/model.js';
import { count } from '../pipeline/pack.js';
import type { BlobRecord, StateRecord } from './outbox.js';

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const fieldsOf = <T extends object>(value: unknown): Partial<T> =>
  typeof value === 'object' && value !== null ? (value as Partial<T>) : {};

/** A gzip member says at its end how long its content is; ours has no optional fields, so that it can be padded. */
function isGzip(bytes: unknown, rawBytes: unknown): bytes is Uint8Array<ArrayBuffer> {
  if (!(bytes instanceof Uint8Array) || bytes.length < 18) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.getUint32(0) === 0x1f8b0800 && view.getUint32(bytes.length - 4, true) === rawBytes;
}

const isSummary = (value: unknown): value is TraceSummary => {
  const { traceId, spanCount } = fieldsOf<TraceSummary>(value);
  return typeof traceId === 'string' && isCount(spanCount);
};

const isPart = (value: unknown): value is Part => {
  const { texts, traces } = fieldsOf<Part>(value);
  if (!Array.isArray(texts) || !Array.isArray(traces) || !traces.every(isSummary)) return false;
  return texts.every(({ resource, scope, spans }) => isJson(`${resource}${scope}${spans}]}]}`));
};

const isJson = (text: string): boolean => {
  try {
    return typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
};

/** Epoch milliseconds, from a UUIDv7. NaN when it is none. */
export const bornAt = (uuid: string): number => Number.parseInt(uuid.replace('-', '').slice(0, 12), 16);

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
  const { seq, attempts, notBeforeMillis, upload, token } = fieldsOf<StateRecord>(records.get('state'));
  const blob: TraceBlob = {
    ...{
      id,
      page,
      seq: isCount(seq) ? seq : 0,
      bornAtMillis: bornAt(id),
      isAdopted: true,
      isMixed: false,
      state: 'closed',
      parts: [],
      traces: new Map(),
    },
    ...{ spanCount: 0, error: false, chars: 0, bytes: undefined, rawBytes: 0 },
    attempts: isCount(attempts) ? attempts : 0,
    notBeforeMillis: isCount(notBeforeMillis) ? notBeforeMillis : 0,
    // Its page is gone: whatever it sent has no answer any more.
    again: true,
    // Its clock is not ours.
    upload: upload && { ...upload, endsAtMillis: 0 },
    token: typeof token === 'string' ? token : undefined,
  };
  const corrupt: string[] = [];
  for (const [name, value] of records) {
    if (name === 'state') continue;
    if (name === 'blob') {
      const record = fieldsOf<BlobRecord>(value);
      if (!isGzip(record.bytes, record.rawBytes) || !record.traces?.every?.(isSummary)) corrupt.push(name);
      else {
        for (const summary of record.traces) count(blob, summary);
        Object.assign(blob, { bytes: record.bytes, rawBytes: record.rawBytes, state: 'packed' });
      }
    } else if (isPart(value)) {
      const { texts, traces } = value;
      const part: Part = { texts, traces };
      blob.parts.push(part);
      for (const summary of traces) count(blob, summary);
      for (const { spans } of texts) blob.chars += spans.length;
    } else corrupt.push(name);
  }
  const isEmpty = !blob.parts.length && !blob.bytes;
  return { blob: isEmpty ? undefined : blob, corrupt };
}

/** Records of one page by blob, in the order of their keys. */
export function byBlob(
  records: readonly (readonly [StoreKey, unknown])[],
): Map<string, Map<string, unknown>> {
  const blobs = new Map<string, Map<string, unknown>>();
  for (const [key, value] of records) {
    const [, , , id = '', name = ''] = key;
    const found = blobs.get(id) ?? new Map<string, unknown>();
    blobs.set(id, found.set(name, value));
  }
  return blobs;
}
