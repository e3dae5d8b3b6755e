/** Spans of one invocation on their way: one buffer and one pipeline, opened with it and freed at its end. */
import type { Destination } from '../destinations/destination.js';
import { createDiagnostics } from '../diagnostics/diagnostics.js';
import type { Stats } from '../diagnostics/stats.js';
import type { RedactionOptions } from '../page-options.js';
import type { OpenSpan, ReadableSpan } from '../pipeline/model.js';
import { type Kept, nothingKept, openMemoryOutbox } from '../pipeline/outbox-memory.js';
import { createPipeline, type FlushResult } from '../pipeline/pipeline.js';
import { createTraceBuffer } from '../pipeline/trace-buffer.js';
import { createEdgePlatform } from '../platform/edge.js';
import type { Platform } from '../platform/platform.js';
import * as compression from './compress.js';

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
/** Parts of a trace that goes on and on need not wait for one another. */
const DELAY_MILLIS = 0;

/** @param world the edge's, unless a test brings its own. */
export function openCollector(options: CollectorOptions, world?: Platform): Collector {
  const { destination, maxBufferedSpans, kept, redaction = true, redact } = options;
  const platform = world ?? createEdgePlatform((error) => diagnostics.exception(error));
  const diagnostics = createDiagnostics(platform.now, platform.after);
  const { totals, dropped, guard } = diagnostics;
  const pipeline = createPipeline(
    { platform, diagnostics, destination, openOutbox: openMemoryOutbox(kept), compression, rules() {} },
    { ...LIMITS, maxTracesPerBlob: MAX_TRACES_PER_BLOB, redaction, ...(redact && { redact }) },
  );
  const buffer = createTraceBuffer(
    {
      monotonic: platform.monotonic,
      // Whoever flushes says when. While a timer is set, workerd does not see that a handler hangs.
      after: () => () => {},
      emit: pipeline.accept,
      dropped,
      forget: pipeline.lost,
      guard,
    },
    { scheduledDelayMillis: DELAY_MILLIS, maxBufferedSpans },
  );
  pipeline.beforeSend(buffer.flush);
  diagnostics.gauge((stats) => {
    stats.spans.waiting += buffer.spanCount;
    stats.buffer = { spans: buffer.spanCount, open: buffer.openCount, highWater: buffer.highWater };
  });

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    // What is in no blob would be lost.
    guard(pipeline.seal);
    await pipeline.shutdown(0).catch(diagnostics.exception);
    buffer.close();
    diagnostics.close();
    platform.close();
  };

  return {
    started(span) {
      if (!closing) guard(() => buffer.started(span));
    },
    ended(span) {
      if (closing) return;
      guard(() => {
        totals.spans.created++;
        if (totals.state === 'paused') dropped('paused', 1);
        else buffer.ended(span);
      });
    },
    interrupt: () => void guard(buffer.interrupt),
    flush: pipeline.flush,
    close() {
      closing ??= close();
      return closing;
    },
    stats: diagnostics.stats,
  };
}
