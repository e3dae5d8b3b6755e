/** Delivery while nothing compresses, for the second file did not come: one blob at a time, by way of the endpoint. */

import type { Stop } from '../platform/platform.js';
import { toUtf8 } from './compress-gzip.js';
import type { Delivery } from './deliver.js';
import type { TraceBlob } from './model.js';
import { bodyOf } from './pack.js';
import type { DeliveryHost } from './pipeline.js';
import { nextDelayMillis } from './retry.js';
import { settle } from './settle.js';

export function createRelayOnly(host: DeliveryHost): Delivery {
  const { platform, diagnostics, outbox, destination } = host;
  let timer: Stop | undefined;
  let sending: Promise<void> | undefined;
  let isClosed = false;

  const send = async (blob: TraceBlob): Promise<void> => {
    const outcome = await destination.relay?.(blob, toUtf8(bodyOf(blob.parts)));
    if (isClosed || !outcome || outbox.blobs.get(blob.id) !== blob) return;
    if (!settle(host, blob, outcome)) {
      diagnostics.trouble('retry', outcome.cause);
      const delay = nextDelayMillis(++blob.attempts, platform.random(), outcome.retryAfterMillis);
      blob.notBeforeMillis = platform.now() + delay;
      outbox.changed(blob);
      outbox.trim(new Set());
    }
    diagnostics.changed();
  };

  const self: Delivery = {
    wake() {
      const [blob] = [...outbox.blobs.values()]
        .filter(({ state }) => state === 'closed')
        .sort((a, b) => a.notBeforeMillis - b.notBeforeMillis);
      if (sending || isClosed || !blob || !destination.relay || diagnostics.totals.state !== 'running')
        return;
      timer?.();
      const wait = blob.notBeforeMillis - platform.now();
      if (wait > 0) timer = platform.after(wait, self.wake);
      else
        sending = send(blob)
          .catch(diagnostics.exception)
          .then(() => {
            sending = undefined;
            self.wake();
          });
    },
    async flush() {
      for (const blob of outbox.blobs.values()) blob.notBeforeMillis = 0;
      self.wake();
      while (sending) await sending;
    },
    close() {
      isClosed = true;
      timer?.();
    },
  };
  return self;
}
