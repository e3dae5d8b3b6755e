import { functionOption, integerOption } from './option-check.js';
import type { QuotaStore } from './quota.js';
import { countTake, type QuotaCount } from './quota-count.js';

/** Options of `memoryQuota`. */
export interface MemoryQuotaOptions {
  /**
   * Budgets remembered, 100 to 1,000,000, at some 200 bytes each; beyond, the one not taken from for longest is
   * forgotten, and begins anew. Default 10,000.
   */
  maxSubjects?: number;
  /** Epoch milliseconds. */
  now?: () => number;
}

/**
 * Counts in the memory of this process: exact where one process answers for the endpoint, and for each process alone
 * where there are several. Counts are gone when it ends.
 *
 * @throws {TypeError} naming the option, when one is unusable.
 */
export function memoryQuota(options: MemoryQuotaOptions = {}): QuotaStore {
  const maxSubjects = integerOption('maxSubjects', options.maxSubjects ?? 10_000, 100, 1_000_000);
  const now = functionOption('now', options.now) ?? Date.now;
  /** In the order in which they were last taken from. */
  const kept = new Map<string, QuotaCount>();
  return {
    async take(take) {
      // No await in here: that is what makes it atomic.
      const place = (name: string): string => `${take.project} ${name}`;
      const { answer, counts } = countTake(take, (name) => kept.get(place(name)), now());
      for (const [name, count] of counts) {
        kept.delete(place(name));
        kept.set(place(name), count);
      }
      for (const oldest of kept.keys()) {
        if (kept.size <= maxSubjects) break;
        kept.delete(oldest);
      }
      return answer;
    },
  };
}
