import type { ForwardOptions } from './forward-options.js';
import { checkForwardOptions, type ForwardSettings } from './forward-settings.js';
import { createPass } from './pass.js';
import { patientStorage, type Wait, wait } from './patient-storage.js';
import {
  accountedFor,
  EndOfPass,
  emptyCounts,
  type ForwardEnd,
  type ForwardSummary,
  type ForwardWindow,
} from './summary.js';

/**
 * Sends what is in the bucket to a backend: one pass over all that is there. To follow a bucket, call it again.
 *
 * Objects are listed in the order of keys, which is that of time; those of one minute are read together, checked,
 * sent, noted as done in the bucket, and then deleted, moved or kept. May be killed at any point, and several may run
 * at once on one bucket: each object reaches the backend at least once, and again only where a forwarder died, or lost
 * the store, between sending one batch and noting it.
 *
 * Memory is bounded by `maxBatchBytes` and what the sender needs for as much; nothing is read before what was read
 * earlier has been sent.
 *
 * @returns what it did, and why it ended. Never rejects for what store or backend do.
 * @throws {TypeError} naming the option, what it got and what it takes.
 * @example
 * const summary = await forward({
 *   storage: s3({ endpoint, bucket, accessKeyId, secretAccessKey }),
 *   sender: createBatchSender({ url: 'http://localhost:4318' }),
 *   after: 'delete',
 * });
 */
export async function forward(options: ForwardOptions): Promise<ForwardSummary> {
  return runForward(checkForwardOptions(options), wait);
}

/** {@link forward}, with the world as a parameter. */
export async function runForward(settings: ForwardSettings, waitFor: Wait): Promise<ForwardSummary> {
  const { now, signal } = settings;
  const startedAtMillis = now();
  const counts = emptyCounts();
  let ended: ForwardEnd = 'done';
  let failure: EndOfPass | undefined;
  try {
    const storage = patientStorage(settings.storage, signal, waitFor);
    await createPass({ storage, settings, counts, wait: waitFor }).run();
  } catch (error) {
    failure = endOf(error);
    ended = failure.end;
  }
  counts.left = counts.listed - accountedFor(counts);
  const summary: ForwardSummary = {
    ...counts,
    ended,
    startedAtMillis,
    durationMillis: now() - startedAtMillis,
    window: windowOf(settings),
  };
  if (failure?.message) summary.message = failure.message;
  if (failure?.retryAfterMillis !== undefined) summary.retryAfterMillis = failure.retryAfterMillis;
  return summary;
}

function windowOf({ fromMillis, untilMillis, lookBackMinutes }: ForwardSettings): ForwardWindow {
  return {
    ...(fromMillis > 0 ? { fromMillis } : {}),
    ...(Number.isFinite(untilMillis) ? { untilMillis } : {}),
    ...(lookBackMinutes === undefined ? {} : { lookBackMinutes }),
  };
}

function endOf(error: unknown): EndOfPass {
  if (error instanceof EndOfPass) return error;
  return new EndOfPass('store-failed', (error as Error | undefined)?.message ?? 'the store failed');
}
