import { functionOption, integerOption } from './option-check.js';
import type { QuotaLimits, QuotaStore } from './quota.js';
import { countTake, type QuotaCount } from './quota-count.js';

/** Options of `memoryQuota`. */
export interface MemoryQuotaOptions {
  /**
   * Budgets of pages and subjects remembered, 100 to 1,000,000, at some 200 bytes each; beyond, those are forgotten,
   * and begin anew, of which the smallest share was taken. Those of projects are always remembered. Default 10,000.
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
  /** Of projects, which the operator has named: as many as there are. */
  const projects = new Map<string, KeptCount>();
  /** Of what clients name or make up, first taken from the longest ago first. */
  const others = new Map<string, KeptCount>();

  /**
   * Whoever makes up names has many with little in each, and none of them may push out one that is nearly used up.
   * Some more go than must, so that this is seldom done.
   */
  const forgetSome = (nowMillis: number): void => {
    for (const [name, { endsAtMillis }] of others) if (endsAtMillis <= nowMillis) others.delete(name);
    if (others.size <= maxSubjects) return;
    const byShare = [...others].sort(([, one], [, other]) => other.share - one.share);
    for (const [name] of byShare.slice(Math.floor(maxSubjects * 0.9))) others.delete(name);
  };

  return {
    async take(take) {
      // No await in here: that is what makes it atomic.
      const nowMillis = now();
      const place = (name: string): string => `${take.project} ${name}`;
      const keptIn = (name: string) => (name === 'project' ? projects : others);
      const { answer, counts } = countTake(take, (name) => keptIn(name).get(place(name)), nowMillis);
      for (const { name, limits } of take.budgets) {
        const count = counts.get(name);
        if (count) keptIn(name).set(place(name), { ...count, share: shareOf(count, limits) });
      }
      if (others.size > maxSubjects) forgetSome(nowMillis);
      return answer;
    },
  };
}

/** A count, and how much of its budget is used up, 0 to 1. */
interface KeptCount extends QuotaCount {
  share: number;
}

function shareOf(count: QuotaCount, { objects, bytes, relayedBytes }: QuotaLimits): number {
  return Math.max(
    ratio(count.objects, objects),
    ratio(count.bytes, bytes),
    ratio(count.relayedBytes, relayedBytes),
  );
}

function ratio(taken: number, limit: number | undefined): number {
  return limit ? taken / limit : 0;
}
