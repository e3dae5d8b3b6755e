/**
 * The order of things.
 *
 * A span ends; its trace gathers in the **buffer** (1, in front of this pipeline); when due it is **encoded** (2),
 * then **compressed** (3), written ahead to the **outbox** (4), takes a presigned URL from the **pool** (5), is
 * **uploaded** (6) straight into the bucket, and the server is **notified** (7); whatever could not go is
 * **retried** (8) from the outbox until it is stored, and stored once. Steps 4 to 8 are a **delivery** to one
 * destination, and 5 to 7 of it belong to the destination.
 */
import type { Destination } from '../destinations/destination.js';
import type { Diagnostics } from '../diagnostics/diagnostics.js';
import type { RedactionOptions } from '../page-options.js';
import type { Platform, Stop } from '../platform/platform.js';
import { untraced } from '../platform/untraced.js';
import { uuidv7 } from '../platform/uuid.js';
import { openDeliveries } from './deliveries.js';
import type { Delivery } from './delivery.js';
import type { IsEcho } from './echo.js';
import { bodyOf, createTraceEncoder } from './encode.js';
import type { ReadableSpan, SpanGroup, TraceBlob } from './model.js';
import type { OutboxLimits } from './outbox.js';
import type { OutboxOpener } from './outbox-open.js';
import { createSealer, type Gzip } from './seal.js';

/** Stage 3, as the world has it: `compress.ts`, or what is smaller where no page leaves. */
export interface Compression {
  createCompressor(deps: {
    CompressionStream: typeof CompressionStream | undefined;
    onCorrupt(): void;
  }): (json: string) => Promise<Gzip>;
  gzipNow(json: string): Gzip;
}

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
  /** Makes blobs of all that has ended, in this task: what is in one is kept, wherever anything is. */
  seal(): void;
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
    openOutbox: OutboxOpener;
    compression: Compression;
    /** Takes the operator's sampling rules, unchecked. */
    rules(rules: unknown): void;
    /** See `echo.ts`. One invocation at the edge is over before it could hear any. */
    isEcho?: IsEcho;
  },
  options: PipelineOptions,
): OpenPipeline {
  const { platform, diagnostics } = deps;
  const { totals, exception } = diagnostics;
  const drains = new Set<(isOver: boolean) => void>();
  /** Ends each flush under way. */
  const flushes = new Set<() => void>();
  let away = false;
  /** What is accepted now goes out together, when all sources are drained. */
  let draining = false;

  const { CompressionStream } = globalThis;
  const onCorrupt = (): void => diagnostics.trouble('corrupt-gzip', 'CompressionStream gave wrong bytes');
  const { gzipNow } = deps.compression;
  const gzip = deps.compression.createCompressor({ CompressionStream, onCorrupt });
  const newId = (): string => uuidv7(platform.now(), platform.randomBytes(10));
  const { redaction = true, redact } = options;
  const encoder = createTraceEncoder({
    redaction,
    // What it throws is the user's to see, and the span is dropped: it may hold what should have been taken out.
    redact: redact && ((span) => diagnostics.guard(() => untraced(() => redact(span)) !== false) === true),
  });

  const sealer = createSealer(
    {
      ...{ platform, newId, ...encoder, bodyOf, gzip, gzipNow, exception },
      sealed: (blob, items, lane) => deliveries.add(blob, items, lane, away),
      lost: (items) => deliveries.release(items),
      dropped: (reason, spanCount, lane) => deliveries.ledgerOf(lane).dropped(reason, spanCount),
    },
    options.maxTracesPerBlob,
  );
  const deliveries = openDeliveries(
    {
      ...{ ...deps, newId, encodeAhead: encoder.encodeAhead, bodyOf, gzip },
      adoptedTraces: sealer.adopt,
      adopted() {
        if (totals.state === 'paused') sealer.drop('paused');
        else if (totals.state === 'running') sealer.start();
      },
      paused() {
        totals.state = 'paused';
        drainAll(false);
        sealer.drop('paused');
      },
    },
    options,
  );
  const { all } = deliveries;

  /** Stages 2 to 6 in this task, for what is new and then for what waits: what a leaving page awaits never comes. */
  function sendNow(waiting: [Delivery, TraceBlob][]): void {
    sealer.sealNow(() => platform.keepalive.freeBytes / all.length);
    // Smallest first, whosever it is: none takes the room of all.
    waiting.sort(([, a], [, b]) => a.bytes.length - b.bytes.length);
    for (const [delivery, blob] of waiting) delivery.leave(blob);
    for (const delivery of all) delivery.sayLast();
  }

  function drainAll(isOver: boolean): void {
    for (const drain of drains) diagnostics.guard(() => drain(isOver));
  }

  /** What is accepted meanwhile is not begun. */
  function gather(isOver: boolean): void {
    draining = true;
    drainAll(isOver);
    draining = false;
  }

  function seal(): void {
    gather(false);
    sealer.sealNow(() => Number.POSITIVE_INFINITY);
  }

  /**
   * A navigation has begun. What would take long in pagehide is made ready to go; in Firefox, which cuts long tasks
   * short there and may not write what a closing tab begins to write there, all that has ended.
   */
  function unload(): void {
    const limit = platform.cachesEarly ? 0 : MAX_LAST_SPANS;
    if (all.some(({ checkpoint }) => checkpoint && checkpoint.size > limit)) seal();
    for (const delivery of all) delivery.unload();
  }

  const stopPage = platform.onPage((signal) => {
    if (signal === 'unloading') return unload();
    away = signal !== 'visible';
    if (!away) {
      for (const delivery of all) delivery.comeBack();
      return;
    }
    gather(signal === 'leaving');
    sendNow(
      all.flatMap((delivery) =>
        delivery.goAway(signal !== 'hidden').map((blob): [Delivery, TraceBlob] => [delivery, blob]),
      ),
    );
  });
  const stopOnline = platform.onOnline(() => {
    for (const delivery of all) delivery.hurry();
  });

  for (const at of all.keys()) {
    deliveries.ledgerOf(at).gauge((stats) => {
      stats.spans.waiting += sealer.waitingFor(at);
    });
  }

  async function end(): Promise<void> {
    stopPage();
    stopOnline();
    drains.clear();
    await deliveries.end();
    for (const end of flushes) end();
  }

  async function flush(timeoutMillis: number): Promise<FlushResult> {
    const lostBefore = deliveries.lostCount;
    drainAll(false);
    await new Promise<void>((resolve) => {
      const end = (): void => {
        stopTimer();
        flushes.delete(end);
        resolve();
      };
      const stopTimer = platform.after(timeoutMillis, end, true);
      if (totals.state === 'shut-down') return end();
      flushes.add(end);
      if (totals.state === 'running') sealer.start();
      void sealer
        .idle()
        .then(() => Promise.all(all.map((delivery) => delivery.sendAll())))
        .catch(exception)
        .then(end);
    });
    if (deliveries.lostCount > lostBefore || deliveries.isPaused) return 'lost';
    return sealer.spanCount || deliveries.spanCount ? 'waiting' : 'stored';
  }

  return {
    ended(span) {
      if (totals.state !== 'running') return;
      // Also of one that is paused: if the page crashes, the next one says what was lost to it.
      for (const { checkpoint } of all) checkpoint?.ended(span);
    },
    lost: deliveries.release,
    accept(groups) {
      const safe = sealer.accept(groups);
      if (totals.state !== 'running') {
        sealer.drop(totals.state === 'paused' ? 'paused' : 'shutdown');
        return safe;
      }
      const mayWait = !draining && !away;
      // Nobody is told either: a listener may make requests as well.
      if (mayWait && diagnostics.guard(() => deps.isEcho?.(groups, sealer.spanCount)))
        return Promise.resolve(true);
      diagnostics.changed();
      if (draining) return safe;
      // A hidden page has slow timers, and may end without a further word.
      if (away) sendNow([]);
      else sealer.start();
      for (const delivery of all) delivery.warmUp();
      return safe;
    },
    beforeSend(drain) {
      drains.add(drain);
      return () => void drains.delete(drain);
    },
    ask() {
      for (const delivery of all) delivery.warmUp();
    },
    seal,
    flush,
    async shutdown(timeoutMillis) {
      const result = await flush(timeoutMillis);
      if (totals.state === 'shut-down') return result;
      totals.state = 'shut-down';
      sealer.drop('shutdown');
      deliveries.shutDown();
      await end();
      return result;
    },
    async withdraw(deletes) {
      sealer.drop('consent');
      for (const delivery of all) delivery.withdraw(deletes);
      const ended = end();
      platform.abandon();
      await ended;
    },
  };
}
