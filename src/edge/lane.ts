/**
 * The way of one invocation's blobs to one destination, in memory. What cannot be sent the next invocation of the same
 * isolate finds in {@link Kept}.
 *
 * There is no timer that tries again: whoever flushes says when, and where workerd sees one set, it does not see that
 * a handler hangs.
 */

import type { Destination, DestinationDeps, OpenDestination } from '../destinations/destination.js';
import type { Diagnostics } from '../diagnostics/diagnostics.js';
import { sumOf } from '../json.js';
import type { EncodedSpan } from '../pipeline/encode.js';
import { type DropReason, newBlob, type Outcome, type Part, type TraceBlob } from '../pipeline/model.js';
import { addSpan, bodyOf } from '../pipeline/pack.js';
import { type SettleHost, settle } from '../pipeline/settle.js';
import type { Platform } from '../platform/platform.js';
import { uuidv7 } from '../platform/uuid.js';
import { isRoomFor, type Kept, leaveFor, relieve } from './kept.js';

export interface LaneDeps extends Pick<DestinationDeps, 'page' | 'clockOffset'> {
  platform: Platform;
  diagnostics: Diagnostics;
  /** Epoch milliseconds, by the server's clock where that is known. */
  now(): number;
  gzip(json: string): Promise<{ bytes: Uint8Array<ArrayBuffer>; rawBytes: number }>;
  kept: Kept;
  /** The destination takes nothing more. */
  paused(): void;
}

export interface Lane {
  readonly totals: Diagnostics['totals'];
  readonly isRunning: boolean;
  /** Blobs that wait. */
  readonly count: number;
  dropped(reason: DropReason, spanCount: number): void;
  add(span: EncodedSpan): void;
  /** Sends what waits, but no more once something has failed. Resolves when all is tried, or time is up. */
  flush(timeoutMillis: number): Promise<void>;
  /** Ends all requests, and leaves what waits for the next one. */
  close(): Promise<void>;
}

const MAX_AGE_MILLIS = 60 * 60_000;
const MAX_TRACES_PER_BLOB = 200;
/** Never more text than this in one blob, however well it compresses: readers must inflate it again. */
const MAX_CHARS = 2 * 1024 * 1024;
const MAX_IN_FLIGHT = 4;

export function openLane(deps: LaneDeps, to: Destination): Lane {
  const { platform, diagnostics, kept, page } = deps;
  const { totals, dropped, trouble, exception, guard } = diagnostics;
  const id = to.id ?? '';
  const blobs = new Map<string, TraceBlob>();
  const owed = new Map<string, unknown>();
  const inFlight = new Map<TraceBlob, Promise<void>>();
  let filling: TraceBlob | undefined;
  let failures = 0;
  let isClosed = false;

  const opened = guard(() =>
    to.open({
      ...deps,
      saved: async () => {},
      rules() {},
      pause() {
        if (totals.state !== 'running') return;
        deps.paused();
        totals.state = 'paused';
        for (const blob of blobs.values()) remove(blob, 'paused');
      },
    }),
  );
  // Whatever throws is counted; what cannot be opened fails each attempt.
  const destination: OpenDestination = opened ?? {
    send: async () => ({ status: 'retryable', cause: 'not opened' }),
    close() {},
  };

  const begin = (): TraceBlob => {
    const blob = newBlob(uuidv7(deps.now(), platform.randomBytes(10)), page);
    blob.parts.push({ texts: [], traces: [] });
    blob.seq = ++totals.blobs.sealed;
    blobs.set(blob.id, blob);
    filling = blob;
    return blob;
  };

  const remove = (blob: TraceBlob, reason?: DropReason, receipt?: unknown): void => {
    blobs.delete(blob.id);
    if (receipt) owed.set(blob.id, receipt);
    else owed.delete(blob.id);
    if (reason) dropped(reason, blob.spanCount);
  };

  const trim = (): void => {
    const oldest = deps.now() - MAX_AGE_MILLIS;
    const all = [...blobs.values()].sort((a, b) => +a.error - +b.error || a.bornAtMillis - b.bornAtMillis);
    for (const blob of all) {
      if (inFlight.has(blob) && !isClosed) continue;
      if (blob.bornAtMillis < oldest) remove(blob, 'too-old');
      else if (!isRoomFor(blobs.values())) remove(blob, 'outbox-full');
    }
  };

  const pack = async (blob: TraceBlob): Promise<void> => {
    if (blob.bytes) return;
    const { bytes, rawBytes } = await deps.gzip(bodyOf(blob.parts));
    if (blob.bytes) return;
    Object.assign(blob, { bytes, rawBytes, state: 'packed', parts: [] });
    totals.bytes.raw += rawBytes;
    totals.bytes.gzip += bytes.length;
  };

  const host: SettleHost = { diagnostics, destination, outbox: { remove } };
  const booked = (blob: TraceBlob, outcome: Outcome): void => {
    if (!settle(host, blob, outcome)) {
      failures++;
      blob.attempts++;
      trouble('retry', outcome.cause);
    }
    diagnostics.changed();
  };

  const send = (blob: TraceBlob): Promise<void> => {
    const known = inFlight.get(blob);
    const sent =
      known ??
      pack(blob)
        .then(() => destination.send(blob))
        // It may have been dropped meanwhile, or be another one's.
        .then((outcome) => void (blobs.get(blob.id) === blob && booked(blob, outcome)))
        .catch((error) => {
          exception(error);
          if (blobs.has(blob.id)) booked(blob, { status: 'retryable', cause: String(error) });
        })
        .then(() => void inFlight.delete(blob));
    inFlight.set(blob, sent);
    return sent;
  };

  const take = (): void => {
    const here = kept.get(id);
    kept.delete(id);
    for (const blob of here?.blobs ?? []) {
      blobs.set(blob.id, blob);
      totals.spans.adopted += blob.spanCount;
    }
    for (const [blobId, receipt] of here?.owed ?? []) {
      owed.set(blobId, receipt);
      guard(() => destination.tell?.(receipt, () => owed.delete(blobId)));
    }
  };

  const leave = (): void => {
    // Another one may have left something meanwhile: it goes on together with ours.
    take();
    trim();
    totals.spans.handedOver += sumOf(blobs.values(), ({ spanCount }) => spanCount);
    leaveFor(kept, id, blobs.values(), owed);
    blobs.clear();
    const crowdedOut = sumOf(relieve(kept), ({ spanCount }) => spanCount);
    totals.spans.adopted += crowdedOut;
    dropped('outbox-full', crowdedOut);
  };

  diagnostics.gauge((stats) => {
    for (const { spanCount, bytes } of blobs.values()) {
      stats.spans.waiting += spanCount;
      stats.blobs.waiting++;
      stats.bytes.waiting += bytes?.length ?? 0;
    }
  });
  take();

  return {
    ...{ totals, dropped },
    get isRunning() {
      return totals.state === 'running';
    },
    get count() {
      return blobs.size;
    },
    add(span) {
      const known = filling;
      const isFull =
        !known ||
        known.chars >= MAX_CHARS ||
        (known.traces.size >= MAX_TRACES_PER_BLOB && !known.traces.has(span.traceId));
      const blob = isFull ? begin() : known;
      addSpan(blob, blob.parts[0] as Part, span);
    },
    async flush(timeoutMillis) {
      filling = undefined;
      const before = failures;
      // The least tried first, then the oldest.
      const queue = [...blobs.values()].sort((a, b) => a.attempts - b.attempts).values();
      const work = async (): Promise<void> => {
        for (const blob of queue) {
          await send(blob);
          if (failures > before) return;
        }
      };
      const all = Promise.all(Array.from({ length: MAX_IN_FLIGHT }, work)).then(() => destination.settle?.());
      await new Promise<void>((resolve) => {
        const stop = platform.after(timeoutMillis, resolve, true);
        void all.catch(exception).then(() => {
          stop();
          resolve();
        });
      });
      trim();
    },
    async close() {
      isClosed = true;
      guard(destination.close);
      await Promise.all([...blobs.values()].map(pack)).catch(exception);
      guard(leave);
      totals.state = 'shut-down';
    },
  };
}
