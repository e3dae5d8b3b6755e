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
import { createDiagnostics, type Diagnostics } from '../diagnostics/diagnostics.js';
import type { RedactionOptions } from '../page-options.js';
import type { Platform, Stop } from '../platform/platform.js';
import { uuidv7 } from '../platform/uuid.js';
import { type Delivery, openDelivery } from './delivery.js';
import { bodyOf, createTraceEncoder } from './encode.js';
import type { ReadableSpan, SpanGroup, TraceBlob } from './model.js';
import type { OutboxLimits } from './outbox.js';
import type { OutboxOpener } from './outbox-open.js';
import { createSealer, type Gzip, type SealedItem } from './seal.js';

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
  },
  options: PipelineOptions,
): OpenPipeline {
  const { platform, diagnostics } = deps;
  const { totals, dropped, exception } = diagnostics;
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
    redact: redact && ((span) => diagnostics.guard(() => redact(span) !== false) === true),
  });

  const destinations = deps.destination.branches ?? [deps.destination];
  /** The first branch counts in what the exporter itself tells of; spans that are lost on the way here do, too. */
  const ledgers = destinations.map((_, at) =>
    at ? createDiagnostics(platform.now, platform.after) : diagnostics,
  );
  const others = ledgers.slice(1);
  const deliveries: Delivery[] = destinations.map((destination, at) =>
    openDelivery(
      {
        platform,
        diagnostics: ledgers[at] as Diagnostics,
        destination,
        openOutbox: deps.openOutbox,
        hasCheckpoint: at === 0,
        defers: destinations.length === 1,
        newId,
        encodeAhead: encoder.encodeAhead,
        bodyOf,
        gzip,
        seq: () => sealer.sealedCount + 1,
        adoptedTraces: (traces) => sealer.adopt(traces),
        adopted() {
          if (totals.state === 'paused') sealer.drop('paused');
          else if (totals.state === 'running') sealer.start();
        },
        paused() {
          if (at) (ledgers[at] as Diagnostics).totals.state = 'paused';
          if (deliveries.every(({ isPaused }) => isPaused)) pause();
        },
        rules: deps.rules,
      },
      options,
    ),
  );
  const [{ checkpoint, page }] = deliveries as [Delivery];
  const sealer = createSealer(
    {
      platform,
      newId,
      page,
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

  async function sealed(blob: TraceBlob, items: SealedItem[]): Promise<void> {
    // What changes as a blob is sent is each delivery's own; the bytes are shared.
    const copies = deliveries.map((delivery, at): [Delivery, TraceBlob] => [
      delivery,
      at ? { ...blob } : blob,
    ]);
    for (const { totals: theirs } of others) theirs.spans.created += blob.spanCount;
    const written = copies.map(([delivery, copy]) => delivery.add(copy));
    checkpoint?.release(items);
    if (away) for (const [delivery, copy] of copies) delivery.leave([copy]);
    for (const { changed } of ledgers) changed();
    await Promise.all(written);
    for (const delivery of deliveries) delivery.wake();
  }

  /** Stages 2 to 6 in this task, for what is new and then for what waits: what a leaving page awaits never comes. */
  function sendNow(waiting: readonly (readonly TraceBlob[])[]): void {
    sealer.sealNow(() => platform.keepalive.freeBytes / deliveries.length);
    for (const [at, delivery] of deliveries.entries()) {
      delivery.leave(waiting[at] ?? []);
      delivery.sayLast();
    }
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
    for (const delivery of deliveries) delivery.unload();
  }

  function drainAll(isOver: boolean): void {
    for (const drain of drains) diagnostics.guard(() => drain(isOver));
  }

  const stopPage = platform.onPage((signal) => {
    if (signal === 'unloading') return unload();
    away = signal !== 'visible';
    if (!away) {
      for (const delivery of deliveries) delivery.comeBack();
      return;
    }
    draining = true;
    drainAll(signal === 'leaving');
    draining = false;
    sendNow(deliveries.map((delivery) => delivery.goAway(signal !== 'hidden')));
  });
  const stopOnline = platform.onOnline(() => {
    for (const delivery of deliveries) delivery.hurry();
  });

  diagnostics.gauge((stats) => {
    stats.spans.waiting += sealer.spanCount;
    stats.others = others.map((other) => other.stats());
  });
  for (const other of others) other.subscribe(diagnostics.changed);

  async function end(): Promise<void> {
    stopPage();
    stopOnline();
    drains.clear();
    await Promise.all(deliveries.map((delivery) => delivery.end()));
    for (const other of others) other.close();
    for (const end of flushes) end();
  }

  function pause(): void {
    totals.state = 'paused';
    drainAll(false);
    sealer.drop('paused');
  }

  const lostCount = (): number =>
    ledgers
      .flatMap(({ totals: { spans } }) => Object.values(spans.dropped))
      .reduce((sum, count) => sum + count, 0);

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
      void sealer
        .idle()
        .then(() => Promise.all(deliveries.map((delivery) => delivery.sendAll())))
        .catch(exception)
        .then(end);
    });
    if (lostCount() > lostBefore || deliveries.some(({ isPaused }) => isPaused)) return 'lost';
    return sealer.spanCount || deliveries.some(({ spanCount }) => spanCount) ? 'waiting' : 'stored';
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
      for (const delivery of deliveries) delivery.warmUp();
      return safe;
    },
    beforeSend(drain) {
      drains.add(drain);
      return () => void drains.delete(drain);
    },
    ask() {
      for (const delivery of deliveries) delivery.warmUp();
    },
    flush,
    async shutdown(timeoutMillis) {
      const result = await flush(timeoutMillis);
      if (totals.state === 'shut-down') return result;
      for (const ledger of ledgers) ledger.totals.state = 'shut-down';
      sealer.drop('shutdown');
      for (const delivery of deliveries) delivery.shutDown();
      await end();
      return result;
    },
    async withdraw(deletes) {
      sealer.drop('consent');
      for (const delivery of deliveries) delivery.withdraw(deletes);
      const ended = end();
      platform.abandon();
      await ended;
    },
  };
}
