/**
 * Brings closed blobs to their destination: **packs** each, **sends** it, and settles what came of it. At most four at
 * once; one while nothing gets through.
 */

import type { Later } from '../outbox/later.js';
import type { Stop } from '../platform/platform.js';
import type { Outcome, TraceBlob } from './model.js';
import { bodyOf } from './pack.js';
import type { DeliveryHost } from './pipeline.js';
import { nextDelayMillis } from './retry.js';
import { settle } from './settle.js';

export interface Compression {
  gzip(json: string): Promise<{ bytes: Uint8Array<ArrayBuffer>; rawBytes: number }>;
  gzipNow(json: string): { bytes: Uint8Array<ArrayBuffer>; rawBytes: number };
}

export interface Delivery {
  /** Something is closed, or may be sent now. */
  wake(): void;
  readonly later?: Later | undefined;
  /** Compresses in this task. */
  packNow?(blob: TraceBlob): void;
  /** Sends all that waits, whatever it was told to wait for. Resolves when each has been tried. */
  flush(): Promise<void>;
  close(): void;
}

/** With what compresses. */
export interface PackedDelivery extends Delivery {
  pack(blob: TraceBlob): Promise<void>;
  packNow(blob: TraceBlob): void;
  /** The network or the page is back: what waits by a delay of ours need not. */
  hurry(): void;
  /** Whether a blob was settled here, so that what the database still has of it means nothing. */
  isSettled(id: string): boolean;
}

const MAX_IN_FLIGHT = 4;
/** Nothing is told to wait for longer: a clock was set. */
const MAX_DELAY_MILLIS = 2 * 60 * 60_000;

export function createDelivery(host: DeliveryHost, compression: Compression): PackedDelivery {
  const { platform, diagnostics, outbox, destination } = host;
  const { totals } = diagnostics;
  /** Those whose records may not be deleted yet. */
  const settled = new Set<string>();
  const inFlight = new Map<TraceBlob, Promise<void>>();
  /** Failures in a row, of whatever blob. */
  let failures = 0;
  /** Until when all wait, while nothing gets through. */
  let resumeAtMillis = 0;
  /** The destination asks for patience with everything. */
  let heldUntilMillis = 0;
  let timer: Stop | undefined;
  let closed = false;

  const stopGauge = diagnostics.gauge(({ blobs }) => {
    blobs.inFlight += inFlight.size;
  });

  const packed = (blob: TraceBlob, bytes: Uint8Array<ArrayBuffer>, rawBytes: number): void => {
    // A page that left meanwhile may have done it at once.
    if (blob.bytes) return;
    Object.assign(blob, { bytes, rawBytes });
    totals.bytes.raw += rawBytes;
    totals.bytes.gzip += bytes.length;
  };

  const deliver = async (blob: TraceBlob): Promise<void> => {
    while (!blob.bytes) await self.pack(blob);
    // The other one's records are gone before its spans go by this name.
    if (blob.isMixed) await outbox.save();
    blob.state = 'packed';
    const outcome = await destination.send(blob);
    // It may have been dropped meanwhile, or stored by another way.
    if (outbox.blobs.get(blob.id) === blob && !closed) booked(blob, outcome);
  };

  const booked = (blob: TraceBlob, outcome: Outcome): void => {
    if (settle(host, blob, outcome)) {
      if (blob.isAdopted) settled.add(blob.id);
      if (outcome.status === 'stored') failures = 0;
    } else {
      failures++;
      blob.attempts++;
      diagnostics.trouble('retry', outcome.cause);
      const { retryAfterMillis, delayMillis = 0 } = outcome;
      const now = platform.now();
      const delayOf = (times: number): number => nextDelayMillis(times, platform.random(), retryAfterMillis);
      resumeAtMillis = now + delayOf(failures);
      // Whole, as it is read again.
      blob.notBeforeMillis = Math.ceil(now + Math.max(delayOf(blob.attempts), delayMillis));
      blob.isHeld = retryAfterMillis !== undefined;
      if (retryAfterMillis) heldUntilMillis = Math.max(heldUntilMillis, now + retryAfterMillis);
      outbox.changed(blob);
      const spared = new Set(inFlight.keys());
      spared.delete(blob);
      outbox.trim(spared);
    }
    diagnostics.changed();
  };

  /** What may go next: the least tried first, then the oldest. */
  const waiting = (): TraceBlob[] =>
    [...outbox.blobs.values()]
      .filter((blob) => (blob.state === 'closed' || blob.state === 'packed') && !inFlight.has(blob))
      .sort((a, b) => a.attempts - b.attempts || a.bornAtMillis - b.bornAtMillis);

  const begin = (blob: TraceBlob): Promise<void> => {
    const work = deliver(blob)
      .catch((error) => {
        diagnostics.exception(error);
        if (!closed) booked(blob, { status: 'retryable', cause: String(error) });
      })
      .then(() => {
        inFlight.delete(blob);
        self.wake();
      });
    inFlight.set(blob, work);
    return work;
  };

  const self: PackedDelivery = {
    wake() {
      // A page that may be gone, or is put away, begins nothing more by itself.
      if (closed || outbox.isSuspended || totals.state !== 'running') return;
      timer?.();
      timer = undefined;
      const now = platform.now();
      let next = Number.POSITIVE_INFINITY;
      // What an earlier page was asked for holds this one as well.
      for (const { isHeld, notBeforeMillis } of outbox.blobs.values())
        if (isHeld && notBeforeMillis < now + MAX_DELAY_MILLIS)
          heldUntilMillis = Math.max(heldUntilMillis, notBeforeMillis);
      for (const blob of waiting()) {
        if (inFlight.size >= (failures ? 1 : MAX_IN_FLIGHT)) return;
        const notBefore = Math.max(blob.notBeforeMillis, heldUntilMillis, failures && resumeAtMillis);
        if (notBefore > now && notBefore < now + MAX_DELAY_MILLIS) next = Math.min(next, notBefore);
        else void begin(blob);
      }
      if (Number.isFinite(next)) timer = platform.after(next - now, self.wake);
    },
    async pack(blob) {
      if (blob.bytes) return;
      const { chars } = blob;
      const { bytes, rawBytes } = await compression.gzip(bodyOf(blob.parts));
      // It may have taken in another one meanwhile.
      if (chars === blob.chars) packed(blob, bytes, rawBytes);
    },
    packNow(blob) {
      if (blob.bytes) return;
      const { bytes, rawBytes } = compression.gzipNow(bodyOf(blob.parts));
      packed(blob, bytes, rawBytes);
    },
    async flush() {
      const tried = new Set<TraceBlob>();
      while (!closed) {
        const before = failures;
        const [blob] = waiting().filter((one) => !tried.has(one));
        if (!blob && !inFlight.size) break;
        if (blob && inFlight.size < (failures ? 1 : MAX_IN_FLIGHT)) {
          tried.add(blob);
          void begin(blob);
        } else await Promise.race(inFlight.values());
        if (failures > before && heldUntilMillis > platform.now()) break;
      }
      await destination.settle?.();
    },
    hurry() {
      for (const blob of outbox.blobs.values()) blob.notBeforeMillis = 0;
      resumeAtMillis = 0;
      self.wake();
    },
    isSettled: (id) => settled.has(id),
    close() {
      closed = true;
      stopGauge();
      timer?.();
    },
  };
  return self;
}
