/** Spans of one invocation on their way: one buffer, and a lane to each destination, freed at its end. */

import type { Destination } from '../destinations/destination.js';
import type { Tee } from '../destinations/tee.js';
import { createDiagnostics } from '../diagnostics/diagnostics.js';
import { otherOf } from '../diagnostics/other.js';
import type { Stats } from '../diagnostics/stats.js';
import type { RedactionOptions } from '../page-options.js';
import { createEncoder } from '../pipeline/encode.js';
import type { OpenSpan, ReadableSpan } from '../pipeline/model.js';
import type { FlushResult } from '../pipeline/pipeline.js';
import { createEdgePlatform } from '../platform/edge.js';
import type { Platform } from '../platform/platform.js';
import { uuidv7 } from '../platform/uuid.js';
import * as compress from './compress.js';
import { type Kept, nothingKept } from './kept.js';
import { type Lane, openLane } from './lane.js';
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

/** @param world the edge's, unless a test brings its own. */
export function openCollector(options: CollectorOptions, world?: Platform): Collector {
  const { destination, maxBufferedSpans, kept, redaction = true, redact } = options;
  const platform = world ?? createEdgePlatform((error) => diagnostics.exception(error));
  const diagnostics = createDiagnostics(platform.now, platform.after);
  const { guard } = diagnostics;
  const page = uuidv7(platform.now(), platform.randomBytes(10));
  const lanes: Lane[] = [];
  const running = (): Lane[] => lanes.filter(({ isRunning }) => isRunning);
  let clockOffsetMillis = 0;
  let closing: Promise<void> | undefined;

  const buffer = createSpanBuffer(maxBufferedSpans, (count) => {
    for (const lane of running()) lane.dropped('buffer-full', count);
  });
  const encode = createEncoder({
    redaction,
    // What it throws is the user's to see, and the span is dropped: it may hold what should have been taken out.
    redact: redact && ((span) => guard(() => redact(span) !== false) === true),
    clockOffsetMillis: () => clockOffsetMillis,
  });
  const gzip = compress.createCompressor({
    CompressionStream: globalThis.CompressionStream,
    onCorrupt: () => diagnostics.trouble('corrupt-gzip', 'CompressionStream gave wrong bytes'),
  });

  const { branches = [destination] } = destination as Partial<Tee>;
  branches.forEach((to, at) => {
    const own = at ? otherOf(diagnostics, platform) : diagnostics;
    own.gauge((stats) => {
      const waits = own.totals.state === 'running' ? buffer.count : 0;
      stats.spans.waiting += waits;
      stats.buffer = { spans: waits, open: buffer.openCount, highWater: buffer.highWater };
    });
    lanes.push(
      openLane(
        {
          ...{ platform, diagnostics: own, page, gzip, kept },
          now: () => platform.now() + clockOffsetMillis,
          clockOffset(millis) {
            clockOffsetMillis = millis;
          },
          paused: () => own.dropped('paused', buffer.count),
        },
        to,
      ),
    );
  });

  /** Puts all that has ended into blobs. */
  const encodeAll = (): void => {
    for (const span of buffer.take()) {
      const encoded = guard(() => encode(span)) ?? 'unencodable';
      for (const lane of running()) {
        if (typeof encoded === 'string') lane.dropped(encoded, 1);
        else lane.add(encoded);
      }
    }
  };

  const lostCount = ({ totals }: Lane): number =>
    Object.values(totals.spans.dropped).reduce((sum, count) => sum + count, 0);

  const close = async (): Promise<void> => {
    encodeAll();
    await Promise.all(lanes.map((lane) => lane.close()));
    diagnostics.close();
    platform.close();
  };

  return {
    started(span) {
      if (!closing) buffer.started(span);
    },
    ended(span) {
      if (closing) return;
      for (const lane of lanes) {
        lane.totals.spans.created++;
        if (!lane.isRunning) lane.dropped('paused', 1);
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
      encodeAll();
      await Promise.all(lanes.map((lane) => lane.flush(timeoutMillis)));
      const isLost = lanes.some(
        (lane, at) => lane.totals.state === 'paused' || lostCount(lane) > (before[at] as number),
      );
      if (isLost) return 'lost';
      return lanes.some(({ count }) => count) ? 'waiting' : 'stored';
    },
    close() {
      closing ??= close().catch(diagnostics.exception);
      return closing;
    },
    stats: diagnostics.stats,
  };
}
