/** What engines do, over rows in memory. @typedef {import('./rows.mjs').Row} Row */

/** @template T @param {readonly T[]} items @param {(item: T) => string} keyOf */
export function grouped(items, keyOf) {
  /** @type {Map<string, T[]>} */
  const groups = new Map();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Between the two values that the rank falls between, as Excel's PERCENTILE.INC has it. @param {bigint[]} values @param {number} level */
export function quantile(values, level) {
  const sorted = values.map(Number).sort((a, b) => a - b);
  const rank = level * (sorted.length - 1);
  const [low = 0, high = low] = [sorted[Math.floor(rank)], sorted[Math.ceil(rank)]];
  return Math.round(low + (high - low) * (rank - Math.floor(rank)));
}

export const durationOf = (/** @type {Row} */ { startNanos, endNanos }) => endNanos - startNanos;
