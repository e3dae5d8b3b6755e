/** Spans of one invocation on their way: one buffer, and an outbox for each destination, freed at its end. */
import { createDiagnostics, type Diagnostics } from '../../diagnostics/diagnostics.js';
import type { Stats } from '../../diagnostics/stats.js';
import * as compress from '../../edge/compress.js';
import type { RedactionOptions } from '../../page-options.js';
import { createEdgePlatform } from '../../platform/edge.js';
import { uuidv7 } from '../../platform/uuid.js';
import type { Tee } from '../destinations/tee.js';
import { createMemoryOutbox, type Kept, type MemoryOutbox, nothingKept } from '../outbox/memory.js';
import { type Compression, createDelivery, type Delivery } from '../pipeline/deliver.js';
import type { Destination, OpenDestination } from '../pipeline/destination.js';
import { createEncoder } from '../pipeline/encode.js';
import type { OpenSpan, ReadableSpan, TraceBlob } from '../pipeline/model.js';
import type { FlushResult } from '../pipeline/pipeline.js';
import type { Platform } from '../platform/platform.js';
import { createSpanBuffer } from './span-buffer.js';

export { type Kept, nothingKept };

export interface CollectorOptions extends RedactionOptions {
  destination: Destination;
  /** Ended spans held at most. */
  maxBufferedSpans: number;
  /** Where what this one cannot send waits for the next one. */
  kept: Kept;
}

export interface Collector {
  started(span: OpenSpan): void;
  ended(span: ReadableSpan): void;
  /** Ends spans still open, inner first, marked `spandrel.interrupted`. */
  interrupt(): void;
  /** Sends all that has ended, incomplete traces too. Never rejects. */
  flush(timeoutMillis: number): Promise<FlushResult>;
  /** Ends everything; what is still unsent waits for the isolate's next collector. Later spans are ignored. Never rejects. */
  close(): Promise<void>;
  stats(): Stats;
}

/** An isolate lives on little memory, which it shares with the handler. */
const LIMITS = { maxBlobs: 100, maxBytes: 4 * 1024 * 1024, maxAgeMillis: 60 * 60_000 };
const MAX_TRACES_PER_BLOB = 200;
/** Never more text than this in one blob, however well it compresses: readers must inflate it again. */
const MAX_CHARS = 2 * 1024 * 1024;

/** The way to one destination. */
interface Lane {
  id: string;
  diagnostics: Diagnostics;
  outbox: MemoryOutbox;
  destination: OpenDestination;
  delivery: Omit<Delivery, 'later'>;
}

/** @param world the edge's, unless a test brings its own. */
export function openCollector(options: CollectorOptions, world?: Platform): Collector {
  const { destination, maxBufferedSpans, kept, redaction = true, redact } = options;
  const platform = world ?? createEdgePlatform((error) => diagnostics.exception(error));
  const diagnostics = createDiagnostics(platform.now, platform.after);
  const { guard } = diagnostics;
  const page = uuidv7(platform.now(), platform.randomBytes(10));
  let clockOffsetMillis = 0;

  const encode = createEncoder({
    redaction,
    // What it throws is the user's to see, and the span is dropped: it may hold what should have been taken out.
    redact: redact && ((span) => guard(() => redact(span) !== false) === true),
    clockOffsetMillis: () => clockOffsetMillis,
  });
  const compression: Compression = {
    gzip: compress.createCompressor({
      CompressionStream: globalThis.CompressionStream,
      onCorrupt: () => diagnostics.trouble('corrupt-gzip', 'CompressionStream gave wrong bytes'),
    }),
    gzipNow: compress.gzipNow,
  };

  const openLane = (to: Destination, own: Diagnostics): Lane => {
    const { totals } = own;
    const id = to.id ?? '';
    const outbox = createMemoryOutbox(
      {
        ...{ page, randomBytes: platform.randomBytes, dropped: own.dropped },
        now: () => platform.now() + clockOffsetMillis,
        adopted: (count) => {
          totals.spans.adopted += count;
        },
        handedOver: (count) => {
          totals.spans.handedOver += count;
        },
      },
      LIMITS,
    );
    const open = to.open({
      ...{ platform, diagnostics: own, page, rules() {} },
      saved: async () => {},
      clockOffset(millis) {
        clockOffsetMillis = millis;
      },
      pause() {
        own.dropped('paused', buffer.count);
        totals.state = 'paused';
        for (const blob of outbox.blobs.values()) outbox.remove(blob, 'paused');
      },
    });
    own.gauge((stats) => {
      const waits = isRunning(own) ? buffer.count : 0;
      stats.spans.waiting += waits;
      stats.buffer = { spans: waits, open: buffer.openCount, highWater: buffer.highWater };
      for (const { spanCount, bytes } of outbox.blobs.values()) {
        stats.spans.waiting += spanCount;
        stats.blobs.waiting++;
        stats.bytes.waiting += bytes?.length ?? 0;
      }
    });
    const delivery = createDelivery({ platform, diagnostics: own, outbox, destination: open }, compression);
    return { id, diagnostics: own, outbox, destination: open, delivery };
  };

  const { branches = [destination] } = destination as Partial<Tee>;
  const lanes: Lane[] = [];
  const running = (): Lane[] => lanes.filter((lane) => isRunning(lane.diagnostics));
  const buffer = createSpanBuffer(maxBufferedSpans, (count) => {
    for (const lane of running()) lane.diagnostics.dropped('buffer-full', count);
  });
  branches.forEach((to, at) => {
    const own = at ? diagnostics.other(at - 1) : diagnostics;
    const lane = own.guard(() => openLane(to, own));
    if (!lane) return;
    lanes.push(lane);
    lane.outbox.take(kept, lane.id, lane.destination.tell);
  });

  /** Puts all that has ended into blobs. */
  const encodeAll = (): void => {
    const open = new Map(running().map((lane): [Lane, TraceBlob | undefined] => [lane, undefined]));
    for (const span of buffer.take()) {
      const encoded = guard(() => encode(span)) ?? 'unencodable';
      for (const [lane, blob] of open) {
        if (typeof encoded === 'string') {
          lane.diagnostics.dropped(encoded, 1);
          continue;
        }
        const isFull =
          !blob ||
          blob.chars >= MAX_CHARS ||
          (blob.traces.size >= MAX_TRACES_PER_BLOB && !blob.traces.has(encoded.traceId));
        const into = isFull ? lane.outbox.open() : blob;
        if (isFull) into.seq = ++lane.diagnostics.totals.blobs.sealed;
        lane.outbox.add(into, encoded);
        open.set(lane, into);
      }
    }
    for (const { outbox } of lanes) {
      for (const blob of outbox.blobs.values()) if (blob.state === 'open') blob.state = 'closed';
    }
  };

  const lostCount = ({ diagnostics: { totals } }: Lane): number =>
    Object.values(totals.spans.dropped).reduce((sum, count) => sum + count, 0);

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    guard(encodeAll);
    for (const { delivery, destination: open } of lanes) {
      guard(delivery.close);
      guard(open.close);
    }
    platform.abandon();
    for (const { id, outbox, delivery, diagnostics: own } of lanes) {
      await Promise.all([...outbox.blobs.values()].map(delivery.pack)).catch(own.exception);
      own.guard(() => outbox.leave(kept, id));
      own.totals.state = 'shut-down';
    }
    diagnostics.close();
    platform.close();
  };

  return {
    started(span) {
      if (!closing) buffer.started(span);
    },
    ended(span) {
      if (closing) return;
      for (const { diagnostics: own } of lanes) {
        own.totals.spans.created++;
        if (!isRunning(own)) own.dropped('paused', 1);
      }
      if (running().length) guard(() => buffer.ended(span));
    },
    interrupt() {
      for (const span of buffer.open()) {
        guard(() => {
          span.setAttribute('spandrel.interrupted', true);
          span.end();
        });
      }
    },
    async flush(timeoutMillis) {
      const before = lanes.map(lostCount);
      guard(encodeAll);
      await Promise.all(lanes.map(({ delivery }) => delivery.flush(timeoutMillis)));
      if (lanes.some((lane, at) => lostCount(lane) > (before[at] as number) || isPaused(lane))) return 'lost';
      return lanes.some(({ outbox }) => outbox.blobs.size) ? 'waiting' : 'stored';
    },
    close() {
      closing ??= close();
      return closing;
    },
    stats: diagnostics.stats,
  };
}

const isRunning = ({ totals }: Diagnostics): boolean => totals.state === 'running';
const isPaused = ({ diagnostics }: Lane): boolean => diagnostics.totals.state === 'paused';
