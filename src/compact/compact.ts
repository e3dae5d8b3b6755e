import { patientStorage, type Wait, wait } from '../forward/patient-storage.js';
import type { CompactOptions } from './compact-options.js';
import { type CompactSettings, checkCompactOptions } from './compact-settings.js';
import { Aborted, runPass } from './pass.js';
import { accountedFor, type CompactSummary, emptyCounts } from './summary.js';

/**
 * Makes one object of all objects of each hour that is over, for each project and environment: the same spans, each once,
 * those of a trace together, under the same layout, so that whoever reads the bucket reads on. One pass over all that is
 * there; call it again for what has come since.
 *
 * May be killed at any point, and several may run at once on one bucket, beside `forward` and the endpoint: no span is
 * lost, and whoever looks at notes takes none twice. Memory is bounded by what readers take as one object.
 *
 * @returns what it did, and why it ended. Never rejects for what the store does.
 * @throws {TypeError} naming the option, what it got and what it takes.
 * @example
 * const summary = await compact({
 *   storage: s3({ endpoint, bucket, accessKeyId, secretAccessKey }),
 *   bots: 'drop',
 *   retain: 'errors 90d, rest 14d',
 * });
 */
export async function compact(options: CompactOptions): Promise<CompactSummary> {
  return runCompact(checkCompactOptions(options), wait);
}

/** {@link compact}, with the world as a parameter. */
export async function runCompact(settings: CompactSettings, waitFor: Wait): Promise<CompactSummary> {
  const startedAtMillis = settings.now();
  const counts = emptyCounts();
  const summary: Pick<CompactSummary, 'ended' | 'message'> = { ended: 'done' };
  try {
    await runPass(patientStorage(settings.storage, settings.signal, waitFor), settings, counts);
  } catch (error) {
    summary.ended = error instanceof Aborted ? 'aborted' : 'store-failed';
    if (summary.ended === 'store-failed') {
      summary.message = (error as Error | undefined)?.message ?? 'the store failed';
    }
  }
  counts.left = Math.max(counts.listed - accountedFor(counts), 0);
  return { ...counts, ...summary, startedAtMillis, durationMillis: settings.now() - startedAtMillis };
}
