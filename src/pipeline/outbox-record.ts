/**
 * What the outbox writes down, format 1. A blob's record never changes; what does is in a small one beside it.
 *
 * | key, below lane and page | value |
 * | ------------------------ | ----- |
 * | `blob`, blob id          | {@link BlobRecord} |
 * | `state`, blob id         | {@link BlobState}; absent until the first attempt |
 * | `spans`, serial          | {@link SpansRecord}: ended spans that no blob holds yet |
 * | `noted`, blob id         | a mark: the blob was taken over from the page's note    |
 * | `owed`, name             | what the destination wants to be reminded of |
 *
 * Lane: the destination's id. Page: a UUID for each load of a page. Later formats read this one.
 */
import { parseJson } from '../json.js';
import type { EncodedTrace, TraceBlob } from './model.js';

export const FORMAT = 1;

/** The part of a blob that is settled when it is sealed. */
export type BlobRecord = { v: typeof FORMAT } & Pick<
  TraceBlob,
  'bytes' | 'rawBytes' | 'spanCount' | 'error' | 'traces' | 'sealedAtMillis' | 'page' | 'seq'
>;

/** The part that changes. */
export type BlobState = Pick<
  TraceBlob,
  'attempts' | 'notBeforeMillis' | 'heldUntilMillis' | 'claim' | 'unconfirmed' | 'relayed'
>;

/** A checkpoint of the buffer. */
export interface SpansRecord {
  v: typeof FORMAT;
  traces: EncodedTrace[];
}

export function recordOf(blob: TraceBlob): BlobRecord {
  const { bytes, rawBytes, spanCount, error, traces, sealedAtMillis, page, seq } = blob;
  return { v: FORMAT, bytes, rawBytes, spanCount, error, traces, sealedAtMillis, page, seq };
}

export function stateOf(blob: TraceBlob): BlobState {
  const { attempts, notBeforeMillis, heldUntilMillis, claim, unconfirmed, relayed } = blob;
  return {
    attempts,
    notBeforeMillis,
    ...(heldUntilMillis && { heldUntilMillis }),
    ...(claim && { claim: { ...claim } }),
    ...(unconfirmed && { unconfirmed }),
    ...(relayed && { relayed }),
  };
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** A gzip member says at its end how long its content is; ours has no optional fields, so that it can be padded. */
function isGzip(bytes: unknown, rawBytes: unknown): boolean {
  if (!(bytes instanceof Uint8Array) || bytes.length < 18) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.getUint32(0) === 0x1f8b0800 && view.getUint32(bytes.length - 4, true) === rawBytes;
}

/**
 * A blob of an earlier page, as it stands now: anybody on this origin may have written there.
 *
 * @returns undefined when it is none of ours.
 */
export function blobOf(id: string, record: unknown, state: unknown): TraceBlob | undefined {
  const { v, bytes, rawBytes, spanCount, error, traces, sealedAtMillis, page, seq } = (record ??
    {}) as Partial<BlobRecord>;
  const sound =
    v === FORMAT &&
    isGzip(bytes, rawBytes) &&
    isCount(spanCount) &&
    isCount(sealedAtMillis) &&
    Array.isArray(traces);
  if (!sound) return undefined;
  const { attempts, notBeforeMillis, heldUntilMillis, claim, unconfirmed, relayed } = (state ??
    {}) as Partial<BlobState>;
  const { key, token, tries } = claim ?? {};
  return {
    id,
    bytes: bytes as BlobRecord['bytes'],
    rawBytes: rawBytes as number,
    spanCount,
    error: error === true,
    traces,
    sealedAtMillis,
    page: String(page),
    seq: isCount(seq) ? seq : 0,
    attempts: isCount(attempts) ? attempts : 0,
    notBeforeMillis: isCount(notBeforeMillis) ? notBeforeMillis : 0,
    ...(isCount(heldUntilMillis) && { heldUntilMillis }),
    ...(isText(key) && isText(token) && { claim: { key, token, tries: isCount(tries) ? tries : 1 } }),
    // Its page is gone: whatever was under way has no answer any more.
    unconfirmed: unconfirmed === true || (tries !== undefined && tries !== 0),
    ...(relayed === true && { relayed }),
  };
}

/** The traces of a checkpoint. @returns undefined when it is none of ours. */
export function tracesOf(record: unknown): EncodedTrace[] | undefined {
  const { v, traces } = (record ?? {}) as Partial<SpansRecord>;
  const sound =
    v === FORMAT &&
    Array.isArray(traces) &&
    traces.every((trace) => {
      if (!isCount(trace?.summary?.spanCount)) return false;
      try {
        return parseJson(`[${trace.json}]`).length > 0;
      } catch {
        return false;
      }
    });
  return sound ? traces : undefined;
}
