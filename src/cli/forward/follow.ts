import type { ForwardSummary } from '../../forward/summary.js';

/** After a failure, at most so long until the next pass. */
const MAX_PAUSE_MILLIS = 300_000;

/**
 * Pass after pass, until the signal. A pass that failed makes the next one wait twice as long as the one before, or as
 * long as the backend asked.
 *
 * @param pass one pass.
 * @param onPass told of each, and of how long it is until the next, milliseconds.
 */
export async function follow({
  pass,
  onPass,
  pauseMillis,
  sleep,
  signal,
}: {
  pass(): Promise<ForwardSummary>;
  onPass(summary: ForwardSummary, pauseMillis: number): void;
  pauseMillis: number;
  /** Resolves early when aborted. */
  sleep(millis: number): Promise<void>;
  signal: AbortSignal;
}): Promise<void> {
  let pause = pauseMillis;
  while (!signal.aborted) {
    const summary = await pass();
    const isWell = summary.ended === 'done' || summary.ended === 'aborted';
    pause = isWell
      ? pauseMillis
      : Math.min(Math.max(pause * 2, summary.retryAfterMillis ?? 0), MAX_PAUSE_MILLIS);
    onPass(summary, pause);
    if (!signal.aborted) await sleep(pause);
  }
}
