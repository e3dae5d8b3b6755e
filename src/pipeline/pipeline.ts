/**
 * The order of things.
 *
 * A span ends; its trace gathers in the **buffer** (1, in front of this pipeline); when due it is **encoded** (2),
 * then **compressed** (3), written ahead to the **outbox** (4), takes a presigned URL from the **pool** (5), is
 * **uploaded** (6) straight into the bucket, and the server is **notified** (7); whatever could not go is
 * **retried** (8) from the outbox until it is stored, and stored once. Steps 5 to 7 belong to the destination.
 */
import type { Destination } from '../destinations/destination.js';
import type { Diagnostics } from '../diagnostics/diagnostics.js';
import type { RedactionOptions } from '../page-options.js';
import { DENIALS } from '../platform/notes.js';
import type { Platform, Stop } from '../platform/platform.js';
import { uuidv7 } from '../platform/uuid.js';
import { createCompressor, gzipNow } from './compress.js';
import { createDispatch } from './dispatch.js';
import { bodyOf, createTraceEncoder } from './encode.js';
import type { DropReason, ReadableSpan, SpanGroup, TraceBlob } from './model.js';
import type { OutboxLimits } from './outbox.js';
import { openOutbox } from './outbox-open.js';
import { nextDelayMillis } from './retry.js';
import { createSealer, type SealedItem } from './seal.js';

export interface PipelineOptions extends OutboxLimits, RedactionOptions {
  maxTracesPerBlob: number;
}

/** What became of all that was held when `flush` was called; the worst of it. */
export type FlushResult =
  /** Everything is in the bucket. */
  | 'stored'
  /** Something waits in the outbox and will be tried again. */
  | 'waiting'
  /** Something was dropped meanwhile, or all is since the kill switch; `stats()` says why. */
  | 'lost';

export interface Pipeline {
  /** A span has ended, and waits in front of this pipeline: it is written down until {@link accept} or {@link lost}. */
  ended(span: ReadableSpan): void;
  /** Spans that were dropped in front of this pipeline, and counted there. */
  lost(spans: readonly ReadableSpan[]): void;
  /** Takes groups in. Resolves true once all their spans are in the outbox, false if any was lost. */
  accept(groups: SpanGroup[]): Promise<boolean>;
  /**
   * Calls `drain` first whenever the page hides or leaves, and what it accepts then goes out in the same task; and
   * first thing in {@link flush}. `isOver` when the page will not come back.
   */
  beforeSend(drain: (isOver: boolean) => void): Stop;
  /** Talks to the endpoint, whose word on pausing and sampling is wanted though nothing is to be sent. */
  ask(): void;
  /** Sends all that waits. Never rejects. */
  flush(timeoutMillis: number): Promise<FlushResult>;
  /**
   * Flushes, then ends every timer, listener and request. What is in the database waits for the next page; the rest is
   * counted as lost. Never rejects.
   */
  shutdown(timeoutMillis: number): Promise<FlushResult>;
}

/** One that can be taken back. */
export interface OpenPipeline extends Pipeline {
  /**
   * The user consents no longer: drops what waits and ends everything, requests under way too. What is in the database
   * stays there, unless it `deletes` that: then it is dropped as well, and for the caller to delete. In the caller's
   * task but for the database. Never rejects.
   */
  withdraw(deletes: boolean): Promise<void>;
}

/** As many spans are encoded and compressed in a few milliseconds. */
const MAX_LAST_SPANS = 200;

export function createPipeline(
  deps: {
    platform: Platform;
    diagnostics: Diagnostics;
    destination: Destination;
    /** Takes the operator's sampling rules, unchecked. */
    rules(rules: unknown): void;
  },
  options: PipelineOptions,
): OpenPipeline {
  const { platform, diagnostics } = deps;
  const { totals, dropped, exception } = diagnostics;
  const drains = new Set<(isOver: boolean) => void>();
  /** Ends each flush under way. */
  const flushes = new Set<() => void>();
  let away = false;
  /** Others may take over what is here: nothing is begun any more but what goes out with the page. */
  let left = false;
  /** The page is back, and what others have taken over is not known yet. */
  let returning = false;
  /** What is accepted now goes out together, when all sources are drained. */
  let draining = false;

  const { CompressionStream } = globalThis;
  const onCorrupt = (): void => diagnostics.trouble('corrupt-gzip', 'CompressionStream gave wrong bytes');
  const gzip = createCompressor({ CompressionStream, onCorrupt });
  const newId = (): string => uuidv7(platform.now(), platform.randomBytes(10));
  const { redaction = true, redact } = options;
  const encoder = createTraceEncoder({
    redaction,
    // What it throws is the user's to see, and the span is dropped: it may hold what should have been taken out.
    redact: redact && ((span) => diagnostics.guard(() => redact(span) !== false) === true),
  });
  const durable = openOutbox(
    {
      platform,
      destinationId: deps.destination.id ?? '',
      denials: platform.notes?.get(DENIALS),
      newId,
      encodeAhead: encoder.encodeAhead,
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
        totals.spans.adopted += traces.reduce((sum, { summary }) => sum + summary.spanCount, 0);
        sealer.adopt(traces);
        adoptedAny();
      },
      owed: (name, value) => destination.remembered?.(name, value),
      corrupt() {
        totals.storage.corrupt++;
        diagnostics.trouble('corrupt-record', 'a record of the outbox could not be read; it is kept apart');
      },
      storeFailed(error) {
        totals.storage.failures++;
        diagnostics.trouble('storage', String(error));
      },
      guard: diagnostics.guard,
      trouble: diagnostics.trouble,
      bodyOf,
      gzip,
      seq: () => sealer.sealedCount + 1,
      reserve: () => destination.reserve?.(),
      unreserve: (claim) => destination.unreserve?.(claim),
      defer: (blob, claim) => destination.defer?.(blob, claim),
    },
    options,
  );
  const { outbox, checkpoint } = durable;
  const sealer = createSealer(
    {
      platform,
      newId,
      page: durable.page,
      ...encoder,
      bodyOf,
      gzip,
      gzipNow,
      sealed,
      lost: (items) => checkpoint?.release(items),
      dropped,
      exception,
    },
    options.maxTracesPerBlob,
  );
  const destination = deps.destination.open({
    platform,
    diagnostics,
    wake: () => dispatch.wake(),
    claimed: outbox.claim,
    remember: durable.remember,
    page: durable.page,
    pause,
    rules: deps.rules,
  });
  const dispatch = createDispatch({
    platform,
    waiting() {
      if (left || returning) return [];
      outbox.expire();
      return outbox.list();
    },
    ready: destination.ready,
    send: destination.send,
    nextDelayMillis,
    stored,
    dropped: givenUp,
    changed: (blob) => outbox.save([blob]),
    failed: (cause) => diagnostics.trouble('upload', cause),
  });

  /** Something of an earlier page is here. All that was taken over is sent or sealed together. */
  function adoptedAny(): void {
    if (totals.state === 'paused') dropAll('paused');
    if (totals.state !== 'running') return;
    diagnostics.changed();
    sealer.start();
    destination.warmUp();
    dispatch.wake();
  }

  async function sealed(blob: TraceBlob, items: SealedItem[]): Promise<void> {
    totals.blobs.sealed++;
    totals.bytes.raw += blob.rawBytes;
    totals.bytes.gzip += blob.bytes.length;
    const written = outbox.add(blob);
    checkpoint?.release(items);
    if (away) dispatch.leave([blob]);
    diagnostics.changed();
    await written;
    dispatch.wake();
  }

  function stored(blob: TraceBlob): void {
    if (!outbox.has(blob)) return;
    outbox.delete(blob);
    totals.spans.stored += blob.spanCount;
    totals.blobs.stored++;
    totals.bytes.stored += blob.bytes.length;
    diagnostics.changed();
  }

  function givenUp(blob: TraceBlob, reason: DropReason, cause: string): void {
    if (!outbox.has(blob)) return;
    outbox.delete(blob);
    dropped(reason, blob.spanCount);
    diagnostics.trouble(reason, cause);
  }

  /** Stages 2 to 6 in this task, for what is new and then for `waiting`: what a leaving page awaits never comes. */
  function sendNow(waiting: readonly TraceBlob[]): void {
    sealer.sealNow(() => platform.keepalive.freeBytes);
    dispatch.leave(waiting);
    destination.leave();
    if (left) durable.leave();
    else durable.save();
  }

  /**
   * A navigation has begun. What would take long in pagehide is made ready to go; in Firefox, which cuts long tasks
   * short there and may not write what a closing tab begins to write there, all that has ended.
   */
  function unload(): void {
    if (checkpoint && checkpoint.size > (platform.cachesEarly ? 0 : MAX_LAST_SPANS)) {
      draining = true;
      drainAll(false);
      draining = false;
      sealer.sealNow(() => Number.POSITIVE_INFINITY);
    }
    durable.unload();
  }

  function comeBack(): void {
    returning = left;
    left = false;
    void durable.back().then(() => {
      returning = false;
      diagnostics.guard(dispatch.wake);
    });
  }

  function drainAll(isOver: boolean): void {
    for (const drain of drains) diagnostics.guard(() => drain(isOver));
  }

  const stopPage = platform.onPage((signal) => {
    if (signal === 'unloading') return unload();
    away = signal !== 'visible';
    if (!away) return comeBack();
    draining = true;
    drainAll(signal === 'leaving');
    draining = false;
    const waiting = left || returning ? [] : outbox.list();
    left ||= signal !== 'hidden';
    sendNow(waiting);
  });
  const stopOnline = platform.onOnline(dispatch.hurry);

  diagnostics.gauge((stats) => {
    const blobs = outbox.list();
    stats.spans.waiting += sealer.spanCount + outbox.spanCount;
    stats.blobs.waiting = blobs.length;
    stats.bytes.waiting = blobs.reduce((sum, { bytes }) => sum + bytes.length, 0);
    stats.blobs.inFlight = dispatch.inFlightCount;
    stats.storage.durable = checkpoint !== undefined;
    stats.blobs.unconfirmed = blobs.filter((blob) => blob.unconfirmed).length;
  });

  function dropAll(reason: DropReason): void {
    sealer.drop(reason);
    for (const blob of outbox.list()) givenUp(blob, reason, reason);
  }

  /** What is in the database need not be given up. */
  function giveUp(reason: DropReason, isAll: boolean): void {
    sealer.drop(reason);
    for (const blob of outbox.list()) if (isAll || !outbox.isDurable(blob)) givenUp(blob, reason, reason);
  }

  async function end(): Promise<void> {
    stopPage();
    stopOnline();
    dispatch.close();
    destination.close();
    drains.clear();
    await durable.close();
    for (const end of flushes) end();
  }

  function pause(): void {
    if (totals.state !== 'running') return;
    totals.state = 'paused';
    drainAll(false);
    dropAll('paused');
  }

  const lostCount = (): number => Object.values(totals.spans.dropped).reduce((sum, count) => sum + count, 0);

  async function sendAll(): Promise<void> {
    await sealer.idle();
    do await destination.settle();
    while (outbox.spanCount && (await dispatch.round()));
    await destination.settle();
  }

  async function flush(timeoutMillis: number): Promise<FlushResult> {
    const lostBefore = lostCount();
    drainAll(false);
    await new Promise<void>((resolve) => {
      const end = (): void => {
        stopTimer();
        flushes.delete(end);
        resolve();
      };
      const stopTimer = platform.after(timeoutMillis, end);
      if (totals.state === 'shut-down') return end();
      flushes.add(end);
      void sendAll().catch(exception).then(end);
    });
    if (lostCount() > lostBefore || totals.state === 'paused') return 'lost';
    return sealer.spanCount + outbox.spanCount ? 'waiting' : 'stored';
  }

  return {
    ended(span) {
      if (totals.state === 'running') checkpoint?.ended(span);
    },
    lost: (spans) => checkpoint?.release(spans),
    accept(groups) {
      const safe = sealer.accept(groups);
      if (totals.state !== 'running') {
        sealer.drop(totals.state === 'paused' ? 'paused' : 'shutdown');
        return safe;
      }
      diagnostics.changed();
      if (draining) return safe;
      // A hidden page has slow timers, and may end without a further word.
      if (away) sendNow([]);
      else sealer.start();
      destination.warmUp();
      return safe;
    },
    beforeSend(drain) {
      drains.add(drain);
      return () => void drains.delete(drain);
    },
    ask: () => destination.warmUp(),
    flush,
    async shutdown(timeoutMillis) {
      const result = await flush(timeoutMillis);
      if (totals.state === 'shut-down') return result;
      totals.state = 'shut-down';
      giveUp('shutdown', false);
      destination.leave();
      await end();
      return result;
    },
    async withdraw(deletes) {
      giveUp('consent', deletes);
      // The buffer has the spans that these are of.
      checkpoint?.release(checkpoint.items());
      // Who may send again takes the rest over: the next page, or this one.
      totals.spans.handedOver += outbox.spanCount;
      if (!deletes) durable.leave();
      const ended = end();
      platform.abandon();
      await ended;
    },
  };
}
