/** The spans of one invocation, from their start until they are sent. */
import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import type { OpenSpan, ReadableSpan } from '../pipeline/model.js';
import type { Work } from './background.js';
import { type Collector, openCollector } from './collector.js';
import { guard, report } from './report.js';
import type { Setup } from './setup.js';

export interface InvocationSpans {
  /** As far as OpenTelemetry's `SpanProcessor` is needed. Never throws. */
  readonly processor: { onStart(span: OpenSpan): void; onEnd(span: ReadableSpan): void };
  /** Nothing more is to come: ends what is open, sends all, and ends every timer and request. Never rejects. */
  finish(): Promise<void>;
}

/**
 * How long ended spans wait for an invocation that goes on, a stream for instance. One that hangs is ended by its
 * runtime without a word, and workerd sees that it hangs only when no timer of ours is set: there is none without spans
 * to send.
 */
const PART_MILLIS = 5_000;
/** As many are worth sending on their own, before they fill the buffer. */
const PART_SPANS = 512;

/** The key by which OpenTelemetry's instrumentations know that a request is telemetry's own. */
const SUPPRESS_TRACING = Symbol.for('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

/** Runs what is telemetry's own: none of it is traced, whatever destinations call. */
const untraced = <R>(task: () => R): R => context.with(ROOT_CONTEXT.setValue(SUPPRESS_TRACING, true), task);

/**
 * @param work hears of open spans where the runtime tells of no other work that goes on behind an answer.
 * @param open stands for the collector in tests.
 */
export function createInvocationSpans(
  { options, kept }: Setup,
  work: Work | undefined,
  open: typeof openCollector = openCollector,
): InvocationSpans {
  const { flushTimeoutMillis, maxBufferedSpans, destination, redact, redaction = true, onFlush } = options;
  let collector: Collector | undefined;
  const openSpans: (() => void)[] = [];
  let unsentCount = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isFinishing = false;

  const stopTimer = (): void => {
    clearTimeout(timer);
    timer = undefined;
  };
  const sendPart = (): void => {
    stopTimer();
    unsentCount = 0;
    void guard(() => untraced(() => collector?.flush(flushTimeoutMillis)));
  };

  return {
    processor: {
      onStart: (span) =>
        guard(() => {
          collector ??= open({ destination, maxBufferedSpans, kept, redaction, ...(redact && { redact }) });
          if (work) openSpans.push(work.begin());
          collector.started(span);
        }),
      onEnd: (span) =>
        guard(() => {
          collector?.ended(span);
          openSpans.pop()?.();
          if (isFinishing) return;
          if (++unsentCount >= PART_SPANS) sendPart();
          else timer ??= setTimeout(sendPart, PART_MILLIS);
        }),
    },
    async finish() {
      isFinishing = true;
      stopTimer();
      try {
        await untraced(async () => {
          if (!collector) return;
          collector.interrupt();
          const result = await collector.flush(flushTimeoutMillis);
          await collector.close();
          onFlush?.(result, collector.stats());
        });
      } catch (error) {
        report('exception', error);
      }
    },
  };
}
