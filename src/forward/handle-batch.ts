import type { StoredObject } from '../server/storage.js';
import type { BatchResult, BatchSender, FetchedObject } from './batch.js';
import { fetchObjects } from './fetch-objects.js';
import { signalOf } from './folder.js';
import type { HandlingSettings } from './forward-settings.js';
import type { PatientStorage } from './patient-storage.js';
import type { Settled, Settler } from './settle.js';
import type { ForwardCounts } from './summary.js';

/** An object on its way. */
export type Handed = StoredObject & FetchedObject;

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

  async function settle(settled: readonly Settled[]): Promise<void> {
    await settler.settle(settled);
    for (const { fate, reason = 'refused' } of settled) {
      if (fate === 'sent') counts.sent += 1;
      else counts.quarantined[reason] = (counts.quarantined[reason] ?? 0) + 1;
    }
  }

  async function send(objects: readonly Handed[], signal?: AbortSignal): Promise<Remainder> {
    const sent = await sendSafely(sender, objects, signal);
    counts.requests += sent.requestCount;
    counts.sentBytes += sent.byteCount;
    const remainder: Remainder = {
      ...{ retry: [], postponed: [], message: '' },
      ...{ retryAfterMillis: sent.retryAfterMillis, isUndecided: sent.isUndecided ?? false },
    };
    const byKey = new Map(sent.results.map((result) => [result.key, result]));
    const settled: Settled[] = [];
    for (const object of objects) {
      const { key, bytes } = object;
      const result = byKey.get(key);
      if (!result || result.status === 'retry') {
        remainder.retry.push(object);
        remainder.message ||= result?.message ?? 'the backend did not take it';
        continue;
      }
      const of = { key, bytes, size: bytes.byteLength };
      if (result.status === 'sent') {
        settled.push({ ...of, fate: 'sent' });
        counts[signalOf(key) === 'logs' ? 'logRecords' : 'spans'] += result.spanCount;
        counts.rejectedSpans += result.rejectedCount;
      } else {
        const { reason = 'refused', message = '' } = result;
        settled.push({ ...of, fate: 'quarantined', reason, message });
      }
    }
    await settle(settled);
    return remainder;
  }

  return {
    send,
    async handle(objects, signal) {
      const isTooLarge = ({ size }: StoredObject): boolean => size > maxObjectBytes;
      const small = objects.filter((object) => !isTooLarge(object));
      const fetched = await fetchObjects(storage, small, settings);
      counts.fetched += fetched.objects.length;
      counts.fetchedBytes += fetched.objects.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
      counts.vanished += fetched.vanished.length;
      counts.skipped += fetched.unreadable.length;
      const message = `larger than ${maxObjectBytes} bytes; it was left where it is`;
      const tooLarge = [...objects.filter(isTooLarge), ...fetched.tooLarge];
      await settle(
        tooLarge.map(({ key, size }) => ({ key, size, message, fate: 'left', reason: 'too-large' })),
      );
      return { ...(await send(fetched.objects, signal)), postponed: fetched.postponed };
    },
  };
}

/** A sender of the user's own may break its promise. What it has sent by then is sent again. */
async function sendSafely(
  sender: BatchSender,
  objects: readonly Handed[],
  signal: AbortSignal | undefined,
): Promise<BatchResult> {
  const nothing: BatchResult = { results: [], requestCount: 0, byteCount: 0 };
  if (objects.length === 0) return nothing;
  try {
    return await sender.send(objects, signal);
  } catch {
    return nothing;
  }
}
