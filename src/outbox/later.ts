/**
 * Keeps what waits with the browser as well, as one deferred request, which goes out when the page is gone, however it
 * went, and even if the user never comes back.
 *
 * What is left with the browser is a whole blob under its own id, which takes no spans from then on; the blob that fills
 * next takes it in when the request could be taken back, and is left with the browser in its place. So there is never a
 * moment at which two requests could bring the same spans under two ids.
 *
 * @see https://fetch.spec.whatwg.org/#fetch-later-method
 */

import type { OpenDestination } from '../destinations/destination.js';
import type { TraceBlob } from '../pipeline/model.js';
import type { Stop } from '../platform/platform.js';
import type { Outbox } from './outbox.js';

export interface LaterDeps {
  platform: { after(millis: number, task: () => void): Stop; monotonic(): number };
  outbox: Outbox;
  destination: OpenDestination;
  /** Compresses the blob. */
  pack(blob: TraceBlob): Promise<void>;
  failed(error: unknown): void;
}

export interface Later {
  /** The blob that fills has grown. `lend` lets it take no more spans, and is called before it is left with the browser. */
  grew(blob: TraceBlob, lend: () => void): void;
  /**
   * Takes back what the browser has, to go on with it here: puts it into `into`, or makes it a closed blob. One that
   * has been sent is closed and asked about.
   */
  release(into: TraceBlob | undefined): void;
  close(): void;
}

/** What begins to wait is with the browser within this time; what follows, when it pauses for as long. */
const ARM_MILLIS = 900;
/** What goes on without a pause. */
const MAX_DELAY_MILLIS = 8_000;
/** The browser holds 64 KiB for one origin, with URL and headers. */
const MAX_BYTES = 60_000;

export function createLater({ platform, outbox, destination, pack, failed }: LaterDeps): Later {
  let lent: { blob: TraceBlob; takeBack?: () => boolean } | undefined;
  let timer: Stop | undefined;
  let grewSinceMillis: number | undefined;
  let isArming = false;

  const self: Later = {
    grew(blob, lend) {
      if (isArming || !destination.sendLater) return;
      const now = platform.monotonic();
      grewSinceMillis ??= now;
      const hasWaited = now - grewSinceMillis + ARM_MILLIS > MAX_DELAY_MILLIS;
      if (timer && (hasWaited || !lent)) return;
      timer?.();
      timer = platform.after(ARM_MILLIS, () => {
        timer = grewSinceMillis = undefined;
        if (blob.state !== 'open') return;
        isArming = true;
        lend();
        void arm(blob)
          .catch(failed)
          .then(() => {
            isArming = false;
          });
      });
    },
    release(into) {
      timer?.();
      timer = grewSinceMillis = undefined;
      const { blob, takeBack } = lent ?? {};
      lent = undefined;
      if (blob?.state !== 'lent') return;
      const isSent = takeBack?.() === false;
      if (into && !isSent) outbox.absorb(into, blob);
      else {
        blob.state = 'closed';
        blob.again ||= isSent;
      }
    },
    close() {
      timer?.();
      lent?.takeBack?.();
    },
  };

  const arm = async (blob: TraceBlob): Promise<void> => {
    const mine: NonNullable<typeof lent> = { blob };
    lent = mine;
    // Who finds the records must find all of what is sent.
    await outbox.save();
    await pack(blob);
    if (lent !== mine || blob.state !== 'lent' || (blob.bytes?.length ?? 0) > MAX_BYTES) return;
    const takeBack = destination.sendLater?.(blob.id, blob.bytes as Uint8Array<ArrayBuffer>);
    if (takeBack) mine.takeBack = takeBack;
  };
  return self;
}
