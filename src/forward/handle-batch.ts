import type { StoredObject } from '../server/storage.js';
import type { BatchResult, FetchedObject } from './batch.js';
import { fetchObjects } from './fetch-objects.js';
import { signalOf } from './folder.js';
import type { HandlingSettings } from './forward-settings.js';
import type { PatientStorage } from './patient-storage.js';
import type { Settled, Settler } from './settle.js';
import type { ForwardCounts } from './summary.js';

/** An object on its way: with its bytes, unless the sender has no use for them. */
export interface Handed extends StoredObject {
  bytes?: Uint8Array<ArrayBuffer>;
}

/** What is left of a batch. */
export interface Remainder {
  /** Nothing is wrong with them; the backend did not take them. */
  retry: Handed[];
  /** Not read, to bound memory. */
  postponed: StoredObject[];
  /** As {@link BatchResult}'s, and what the sender said of the first of `retry`. */
  retryAfterMillis: number | undefined;
  isUndecided: boolean;
  message: string;
}

/** Stages from the bucket to the backend and back: fetch, send, settle. */
export interface BatchHandler {
  /** @throws {StorageError} with every object that was sent either settled, or sent again by the next pass. */
  handle(objects: readonly StoredObject[], signal?: AbortSignal): Promise<Remainder>;
  /** The later part, for what was fetched. @throws {StorageError} */
  send(objects: readonly Handed[], signal?: AbortSignal): Promise<Remainder>;
}

export function createBatchHandler(
  storage: PatientStorage,
  settler: Settler,
  settings: HandlingSettings,
  counts: ForwardCounts,
): BatchHandler {
  const { sender, maxObjectBytes } = settings;

  async function send(objects: readonly Handed[], signal?: AbortSignal): Promise<Remainder> {
    const remainder: Remainder = {
      ...{ retry: [], postponed: [], retryAfterMillis: undefined, isUndecided: false, message: '' },
    };
    if (objects.length === 0) return remainder;
    const sent = await sendSafely(sender, objects, signal);
    const { results, requestCount, byteCount, retryAfterMillis, isUndecided = false } = sent;
    counts.requests += requestCount;
    counts.sentBytes += byteCount;
    remainder.retryAfterMillis = retryAfterMillis;
    remainder.isUndecided = isUndecided;
    const byKey = new Map(results.map((result) => [result.key, result]));
    const settled: Settled[] = [];
    for (const object of objects) {
      const result = byKey.get(object.key);
      if (!result || result.status === 'retry') {
        remainder.retry.push(object);
        remainder.message ||= result?.message ?? 'the backend did not take it';
        continue;
      }
      const { key, bytes } = object;
      const of = { key, size: bytes?.byteLength ?? object.size, ...(bytes ? { bytes } : {}) };
      if (result.status === 'sent') {
        settled.push({ ...of, fate: 'sent' });
        if (signalOf(key) === 'logs') counts.logRecords += result.spanCount;
        else counts.spans += result.spanCount;
        counts.duplicateSpans += result.duplicateCount;
        counts.rejectedSpans += result.rejectedCount;
      } else {
        const { reason = 'refused', message = '' } = result;
        settled.push({ ...of, fate: 'quarantined', reason, message });
      }
    }
    await settler.settle(settled);
    countSettled(settled, counts);
    return remainder;
  }

  return {
    send,
    async handle(objects, signal) {
      if ('notify' in sender) return send(objects, signal);
      const isTooLarge = ({ size }: StoredObject): boolean => size > maxObjectBytes;
      const fetched = await fetchObjects(
        storage,
        objects.filter((object) => !isTooLarge(object)),
        settings,
      );
      counts.fetched += fetched.objects.length;
      counts.fetchedBytes += fetched.objects.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
      counts.vanished += fetched.vanished.length;
      counts.skipped += fetched.unreadable.length;
      const tooLarge = [...objects.filter(isTooLarge), ...fetched.tooLarge].map(
        ({ key, size }): Settled => ({
          ...{ key, size, fate: 'left', reason: 'too-large' },
          message: `larger than ${maxObjectBytes} bytes; it was left where it is`,
        }),
      );
      await settler.settle(tooLarge);
      countSettled(tooLarge, counts);
      const remainder = await send(fetched.objects, signal);
      return { ...remainder, postponed: fetched.postponed };
    },
  };
}

function countSettled(settled: readonly Settled[], counts: ForwardCounts): void {
  for (const { fate, reason = 'refused' } of settled) {
    if (fate === 'sent') counts.sent += 1;
    else counts.quarantined[reason] = (counts.quarantined[reason] ?? 0) + 1;
  }
}

/** A sender of the user's own may break its promise. What it has sent by then is sent again. */
async function sendSafely(
  sender: HandlingSettings['sender'],
  objects: readonly Handed[],
  signal: AbortSignal | undefined,
): Promise<BatchResult> {
  try {
    if ('notify' in sender) return await sender.notify(objects, signal);
    return await sender.send(objects.filter(isFetched), signal);
  } catch {
    return { results: [], requestCount: 0, byteCount: 0 };
  }
}

function isFetched(object: Handed): object is Handed & FetchedObject {
  return object.bytes !== undefined;
}
