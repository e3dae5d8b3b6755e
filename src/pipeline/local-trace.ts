/** What a page knows of a trace, and who decides whether it is kept. */
import type { OpenSpan, ReadableSpan, TraceBlob } from './model.js';

/** A trace as far as it is this page's. */
export interface LocalTrace {
  readonly traceId: string;
  readonly open: Set<OpenSpan>;
  /** Undefined: not decided yet. */
  isKept: boolean | undefined;
  /** Ended spans that are not encoded yet. */
  held: ReadableSpan[];
  /** The first span of it that started here, where that was not sampled. */
  root: OpenSpan | undefined;
  /** Whether a span has ended with the status ERROR. */
  error: boolean;
  /** Where its spans go. */
  blob: TraceBlob | undefined;
  /** When the oldest ended span came that no closed blob holds, and when anything last happened; monotonic. */
  firstAtMillis: number | undefined;
  touchedAtMillis: number;
  sinceMillis: number;
}

/** Decides traces whose spans are recorded and not sampled. */
export interface Judge {
  /** Something of the trace is known; `isOver`: all that will be. True: keep it. False: drop it. */
  decide(trace: LocalTrace, isOver: boolean): boolean | undefined;
  /** A span has ended that was sampled as it began. */
  ended(span: ReadableSpan): void;
  /** A trace was dropped for want of room. */
  crowdedOut(trace: LocalTrace): void;
}
