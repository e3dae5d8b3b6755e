/**
 * Keeps blobs until the store has confirmed them. Stage 4 of 8.
 *
 * | blob        | becomes     | when                                                        |
 * | ----------- | ----------- | ----------------------------------------------------------- |
 * | waiting     | waiting     | an attempt failed (attempts and notBeforeMillis move)        |
 * | waiting     | unconfirmed | a beacon took the bytes                                     |
 * | unconfirmed | waiting     | the endpoint says that there is no such object              |
 * | either      | deleted     | stored, rejected, evicted, too old                          |
 */
import type { DropReason, TraceBlob } from './model.js';

export interface OutboxLimits {
  maxBlobs: number;
  maxBytes: number;
  maxAgeMillis: number;
}

export interface Outbox {
  /**
   * Takes a blob in. It is listed from this moment; the promise resolves once it is as durable as this outbox can
   * make it. Over the limits, others are evicted: oldest first, those with errors last. Never rejects.
   */
  add(blob: TraceBlob): Promise<void>;
  /** Writes down what changed on a blob (claim, attempts). Never rejects. */
  update(blob: TraceBlob): Promise<void>;
  /** Forgets a blob. Never rejects. */
  delete(blob: TraceBlob): Promise<void>;
  /** Oldest first. */
  list(): readonly TraceBlob[];
  /** Drops what is too old. */
  expire(): void;
  has(blob: TraceBlob): boolean;
  readonly spanCount: number;
  readonly byteCount: number;
}

/** An outbox that lives as long as the page. */
export function createMemoryOutbox(
  deps: { now(): number; dropped(reason: DropReason, spanCount: number): void },
  limits: OutboxLimits,
): Outbox {
  const blobs = new Map<string, TraceBlob>();
  let spanCount = 0;
  let byteCount = 0;

  const remove = (blob: TraceBlob): boolean => {
    if (!blobs.delete(blob.id)) return false;
    spanCount -= blob.spanCount;
    byteCount -= blob.bytes.length;
    return true;
  };
  const drop = (blob: TraceBlob, reason: DropReason): void => {
    if (remove(blob)) deps.dropped(reason, blob.spanCount);
  };
  const evict = (): void => {
    const victims = [...blobs.values()].sort((a, b) => Number(a.error) - Number(b.error));
    for (const blob of victims) {
      if (blobs.size <= limits.maxBlobs && byteCount <= limits.maxBytes) return;
      drop(blob, 'outbox-full');
    }
  };

  return {
    async add(blob) {
      blobs.set(blob.id, blob);
      spanCount += blob.spanCount;
      byteCount += blob.bytes.length;
      if (blobs.size > limits.maxBlobs || byteCount > limits.maxBytes) evict();
    },
    async update() {},
    async delete(blob) {
      remove(blob);
    },
    list: () => [...blobs.values()],
    expire() {
      const oldest = deps.now() - limits.maxAgeMillis;
      for (const blob of blobs.values()) if (blob.sealedAtMillis < oldest) drop(blob, 'too-old');
    },
    has: (blob) => blobs.has(blob.id),
    get spanCount() {
      return spanCount;
    },
    get byteCount() {
      return byteCount;
    },
  };
}
