import type { QuotaAnswer, QuotaBudget, QuotaCost, QuotaTake } from './quota.js';

/** What was taken from one budget in its window. Plain data, to be kept. */
export interface QuotaCount extends QuotaCost {
  /** Epoch milliseconds. From then on it counts for nothing. */
  endsAtMillis: number;
}

/**
 * Takes what is wanted from counts that a store has read, and says what it is to write: the counts that have changed,
 * so that what was refused leaves nothing behind. Without clock or store, so that whoever calls it between one read
 * and one write is exact.
 *
 * @param read the count of a budget, if there is one; it is not changed.
 */
export function countTake(
  { windowSeconds, budgets, wanted }: QuotaTake,
  read: (name: string) => QuotaCount | undefined,
  nowMillis: number,
): { answer: QuotaAnswer; counts: Map<string, QuotaCount> } {
  const counts = new Map<string, QuotaCount>();
  for (const { name } of budgets) {
    const found = read(name);
    counts.set(
      name,
      found && found.endsAtMillis > nowMillis
        ? { ...found }
        : { objects: 0, bytes: 0, relayedBytes: 0, endsAtMillis: nowMillis + windowSeconds * 1_000 },
    );
  }
  const add = (cost: QuotaCost): void => {
    for (const count of counts.values()) {
      count.objects += cost.objects;
      count.bytes += cost.bytes;
      count.relayedBytes += cost.relayedBytes;
    }
  };

  let retryAtMillis = nowMillis;
  const granted = wanted.map((cost) => {
    const full = budgets.filter(({ name, limits }) => !fits(limits, counts.get(name) as QuotaCount, cost));
    for (const { name } of full)
      retryAtMillis = Math.max(retryAtMillis, counts.get(name)?.endsAtMillis ?? nowMillis);
    if (full.length > 0) return false;
    add(cost);
    return true;
  });
  return {
    answer: { granted, retryAfterSeconds: Math.ceil((retryAtMillis - nowMillis) / 1_000) },
    counts: granted.includes(true) ? counts : new Map(),
  };
}

/** What costs nothing of a kind fits, even where that kind is used up. */
function fits(limits: QuotaBudget['limits'], count: QuotaCost, cost: QuotaCost): boolean {
  const kinds = ['objects', 'bytes', 'relayedBytes'] as const;
  return kinds.every((kind) => cost[kind] === 0 || count[kind] + cost[kind] <= (limits[kind] ?? Infinity));
}
