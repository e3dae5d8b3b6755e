import { compact } from './compact.js';
import type { CompactOptions } from './compact-options.js';
import type { CompactSummary } from './summary.js';

/** Options of {@link compactWorker}: those of `compact`, and who is told. */
export interface CompactWorkerOptions extends CompactOptions {
  /** Told of each pass. */
  onSummary?: (summary: CompactSummary) => void;
}

/**
 * `compact` as the scheduled handler of a Worker: one pass at each tick of its cron trigger.
 *
 * @throws what `configure` throws, and `TypeError` for options that cannot be: the tick has failed, and says so. Also
 *   `Error` where the store failed.
 * @example
 * export default {
 *   ...compactWorker((env: Env) => ({ storage: r2(env.TRACES), concurrency: 6, bots: 'drop' })),
 * };
 */
export function compactWorker<Env extends object>(
  configure: (env: Env) => CompactWorkerOptions,
): { scheduled(event: unknown, env: Env): Promise<void> } {
  return {
    async scheduled(_event, env) {
      const { onSummary, ...options } = configure(env);
      const summary = await compact(options);
      onSummary?.(summary);
      if (summary.ended === 'store-failed') throw new Error(`spandrel/compact: ${summary.message}`);
    },
  };
}
