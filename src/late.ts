/** What a page needs once it has something to send: compressing, sending, adopting, and leaving bytes with the browser. */

import { adopt } from './outbox/adopt.js';
import { createLater } from './outbox/later.js';
import { createCompressor, gzipNow } from './pipeline/compress.js';
import { type Compression, createDelivery, type Delivery } from './pipeline/deliver.js';
import type { DeliveryHost } from './pipeline/pipeline.js';
import type { Stop } from './platform/platform.js';

/** Adopting can wait until the page has loaded. */
const START_MILLIS = 1_000;
/** How often a page looks for others that have died meanwhile. */
const ADOPT_MILLIS = 60_000;

/** In a page, by whatever the browser has. */
function compressionOf({ diagnostics }: DeliveryHost): Compression {
  const { CompressionStream } = globalThis;
  const onCorrupt = (): void => diagnostics.trouble('corrupt-gzip', 'CompressionStream gave wrong bytes');
  return { gzip: createCompressor({ CompressionStream, onCorrupt }), gzipNow };
}

export function openDelivery(host: DeliveryHost, compression: Compression = compressionOf(host)): Delivery {
  const { platform, diagnostics, outbox, destination, place } = host;
  const delivery = createDelivery(host, compression);
  const { store, tabs } = outbox;
  let stopTimer: Stop | undefined;
  let isAdopting = false;

  const adoptAll = async (): Promise<void> => {
    if (!store || !tabs || isAdopting || outbox.isSuspended) return;
    isAdopting = true;
    await adopt({
      ...{ store, notes: platform.notes, place, now: platform.now, randomBytes: platform.randomBytes },
      living: async () => tabs.living?.(),
      alone: (task) => tabs.alone(place, task),
      has: (id) => outbox.blobs.has(id) || delivery.isSettled(id),
      blob(blob) {
        if (outbox.isClosed || diagnostics.totals.state !== 'running') return;
        diagnostics.totals.spans.adopted += blob.spanCount;
        outbox.blobs.set(blob.id, blob);
        delivery.wake();
      },
      told: (receipt, forget) => destination.tell?.(receipt, forget),
      corrupt: () => void diagnostics.totals.storage.corrupt++,
    }).finally(() => {
      isAdopting = false;
    });
  };
  const soon = (): void => {
    stopTimer = platform.after(ADOPT_MILLIS, run);
  };
  const run = (): void => {
    void adoptAll()
      .catch((error) => {
        if (!outbox.isClosed) host.failed(error);
      })
      .then(() => {
        if (!outbox.isClosed) soon();
      });
  };
  if (store) stopTimer = platform.whenIdle(START_MILLIS, run);
  const stopOnline = platform.onOnline(delivery.hurry);

  const { pack } = delivery;
  const later = platform.canDefer
    ? createLater({ platform, outbox, destination, pack, failed: diagnostics.exception })
    : undefined;

  return {
    ...delivery,
    later,
    close() {
      later?.close();
      stopTimer?.();
      stopOnline();
      delivery.close();
    },
  };
}
