/**
 * Brings blobs to one destination: stages 4 (outbox) to 8 (retry), and what there is to know of it.
 *
 * A pipeline has one of these, or with `tee()` one for each destination: none waits for another, and none relies on
 * what another has written down.
 */

import type { Destination } from '../destinations/destination.js';
import type { Diagnostics } from '../diagnostics/diagnostics.js';
import { sumOf } from '../json.js';
import { DENIALS } from '../platform/notes.js';
import { openGuarded } from './destination-guard.js';
import { createDispatch } from './dispatch.js';
import type { DropReason, EncodedTrace, SealedBlob, TraceBlob } from './model.js';
import type { OutboxLimits } from './outbox.js';
import type { Checkpoint, Item } from './outbox-checkpoint.js';
import type { OpenOutboxDeps, OutboxOpener } from './outbox-open.js';
import { nextDelayMillis } from './retry.js';

export interface DeliveryDeps
  extends Pick<OpenOutboxDeps, 'platform' | 'newId' | 'encodeAhead' | 'bodyOf' | 'gzip'> {
  /** Counts what becomes of the blobs that this delivery is given. */
  diagnostics: Diagnostics;
  destination: Destination;
  openOutbox: OutboxOpener;
  /** Takes traces of an earlier page that are to be sealed for this delivery. */
  adoptedTraces(traces: EncodedTrace[]): void;
  /** Something of an earlier page is here. */
  adopted(): void;
  /** The operator's kill switch: this delivery takes no more. */
  paused(): void;
  /** Takes the operator's sampling rules, unchecked. */
  rules(rules: unknown): void;
}

export interface Delivery {
  /** Undefined where nothing lasts. */
  readonly checkpoint: Checkpoint | undefined;
  readonly spanCount: number;
  readonly isPaused: boolean;
  /**
   * Takes a blob in, made of `items`, and sends it when it is as durable as can be, or at once from a page that is
   * `away`. Resolves when it is durable. Never rejects.
   */
  add(sealed: SealedBlob, items: Iterable<Item>, away: boolean): Promise<void>;
  /** Delays of our own are forgotten. */
  hurry(): void;
  /** Gets ready for blobs that will come soon. */
  warmUp(): void;
  /** What waits and may go out with the page. From here on others may take it over, if the page `leaves`. */
  goAway(leaves: boolean): readonly TraceBlob[];
  /** Begins to send one of these in this task. */
  leave(blob: TraceBlob): void;
  /** In this task: says what must be said without waiting for an answer, and writes the rest down. */
  sayLast(): void;
  /** A navigation has begun. */
  unload(): void;
  /** The page is shown again. */
  comeBack(): void;
  /** Sends all that can be sent, and tells the server. Never rejects. */
  sendAll(): Promise<void>;
  /** Drops what waits and is not kept, and tells the server so. */
  shutDown(): void;
  /** The user consents no longer. See `OpenPipeline.withdraw`. */
  withdraw(deletes: boolean): void;
  /** Ends everything. What is in the database stays there. */
  end(): Promise<void>;
}

export function openDelivery(deps: DeliveryDeps, limits: OutboxLimits): Delivery {
  const { platform, diagnostics } = deps;
  const { totals, dropped, guard, trouble } = diagnostics;
  /** Others may take over what is here: nothing is begun any more but what goes out with the page. */
  let left = false;
  /** The page is back, and what others have taken over is not known yet. */
  let returning = false;
  let isPaused = totals.state === 'paused';

  const durable = deps.openOutbox(
    {
      ...deps,
      destinationId: deps.destination.id ?? '',
      denials: platform.notes?.get(DENIALS),
      dropped,
      handedOver(spanCount) {
        totals.spans.handedOver += spanCount;
        diagnostics.changed();
      },
      adoptedBlob(blob) {
        totals.spans.adopted += blob.spanCount;
        if (blob.heldUntilMillis) dispatch.hold(blob.heldUntilMillis);
        adoptedAny();
      },
      adoptedTraces(traces) {
        totals.spans.adopted += sumOf(traces, ({ summary }) => summary.spanCount);
        deps.adoptedTraces(traces);
        adoptedAny();
      },
      owed: (name, value) => destination.remembered?.(name, value),
      corrupt() {
        totals.storage.corrupt++;
        trouble('corrupt-record', 'a record of the outbox could not be read; it is kept apart');
      },
      storeFailed(error) {
        totals.storage.failures++;
        trouble('storage', String(error));
      },
      guard,
      trouble,
      seq: () => totals.blobs.sealed + 1,
      reserve: (...what) => destination.reserve?.(...what),
      unreserve: (claim) => destination.unreserve?.(claim),
      defer: (blob, claim) => destination.defer?.(blob, claim),
    },
    limits,
  );
  const { outbox, checkpoint, page } = durable;
  // Before the destination, which may call `wake` while it is being opened.
  const dispatch = createDispatch({
    platform,
    waiting() {
      if (left || returning) return [];
      outbox.expire();
      return outbox.list();
    },
    ready: (blob) => destination.ready(blob),
    send: (blob, mode) => destination.send(blob, mode),
    nextDelayMillis,
    stored,
    dropped: givenUp,
    changed: (blob) => outbox.save([blob]),
    failed: (cause) => trouble('upload', cause),
  });
  const destination = openGuarded(deps.destination, {
    platform,
    diagnostics,
    wake: dispatch.wake,
    claimed: outbox.claim,
    remember: durable.remember,
    page,
    pause,
    rules: deps.rules,
  });

  /** All that was taken over is sent or sealed together. */
  function adoptedAny(): void {
    if (isPaused) drop('paused', true);
    deps.adopted();
    if (isPaused || totals.state !== 'running') return;
    diagnostics.changed();
    destination.warmUp();
    dispatch.wake();
  }

  function stored(blob: TraceBlob, rejected?: { spanCount: number; cause: string }): void {
    if (!outbox.has(blob)) return;
    outbox.delete(blob);
    // What it says comes from the other side.
    const lost = Math.max(0, Math.min(rejected?.spanCount || 0, blob.spanCount));
    totals.spans.stored += blob.spanCount - lost;
    totals.blobs.stored++;
    totals.bytes.stored += blob.bytes.length;
    if (rejected && lost) {
      dropped('rejected', lost);
      diagnostics.trouble('rejected', rejected.cause);
    }
    diagnostics.changed();
  }

  function givenUp(blob: TraceBlob, reason: DropReason, cause: string): void {
    if (!outbox.has(blob)) return;
    outbox.delete(blob);
    dropped(reason, blob.spanCount);
    trouble(reason, cause);
  }

  /** Gives up what waits; what is in the database need not be, unless `isAll`. */
  function drop(reason: DropReason, isAll: boolean): void {
    for (const blob of outbox.list()) if (isAll || !outbox.isDurable(blob)) givenUp(blob, reason, reason);
  }

  function pause(): void {
    if (isPaused || totals.state !== 'running') return;
    isPaused = true;
    deps.paused();
    drop('paused', true);
  }

  diagnostics.gauge((stats) => {
    const blobs = outbox.list();
    stats.spans.waiting += outbox.spanCount;
    stats.blobs.waiting = blobs.length;
    stats.bytes.waiting = outbox.byteCount;
    stats.blobs.inFlight = dispatch.inFlightCount;
    stats.storage.durable = durable.isDurable;
    stats.blobs.unconfirmed = blobs.filter((blob) => blob.unconfirmed).length;
  });

  return {
    checkpoint,
    async add(sealed, items, away) {
      const blob = { ...sealed, page, seq: ++totals.blobs.sealed, attempts: 0, notBeforeMillis: 0 };
      totals.bytes.raw += blob.rawBytes;
      totals.bytes.gzip += blob.bytes.length;
      const written = isPaused ? dropped('paused', blob.spanCount) : outbox.add(blob);
      // In the same transaction.
      checkpoint?.release(items);
      if (away && !isPaused) dispatch.leave(blob);
      diagnostics.changed();
      await written;
      dispatch.wake();
    },
    hurry: dispatch.hurry,
    warmUp() {
      if (!isPaused) destination.warmUp();
    },
    goAway(leaves) {
      const waiting = left || returning ? [] : outbox.list();
      left ||= leaves;
      return waiting;
    },
    leave: dispatch.leave,
    sayLast() {
      destination.leave();
      if (left) durable.leave();
      else durable.save();
    },
    unload: durable.unload,
    comeBack() {
      returning = left;
      left = false;
      void durable.back().then(() => {
        returning = false;
        guard(dispatch.wake);
      });
    },
    async sendAll() {
      do await destination.settle();
      while (outbox.spanCount && (await dispatch.round()));
      await destination.settle();
    },
    shutDown() {
      drop('shutdown', false);
      destination.leave();
    },
    withdraw(deletes) {
      drop('consent', deletes);
      // The buffer has the spans that these are of.
      checkpoint?.release(checkpoint.items());
      if (!deletes) durable.leave();
      // Who may send again takes the rest over: the next page, or this one.
      outbox.reconcile(() => true);
    },
    async end() {
      dispatch.close();
      destination.close();
      await durable.close();
    },
    get spanCount() {
      return outbox.spanCount;
    },
    get isPaused() {
      return isPaused;
    },
  };
}
