/** Which of a list waits while somebody reads it. */

/**
 * Parts what is to be shown from what waits: only what came by itself, and would stand above the row that was first
 * when the reading began. What was asked for (a first page, older ones, another search) never waits.
 *
 * @template T
 * @param {T[]} items newest first
 * @param {(item: T) => { start: bigint | undefined, isNews: boolean }} about
 * @param {bigint | undefined} edge start of the row that was first; undefined when there was none
 * @returns {{ shown: T[], waiting: T[] }} each in the order of `items`
 */
export function partHeld(items, about, edge) {
  const waits = (item) => {
    const { start, isNews } = about(item);
    return isNews && edge !== undefined && (start ?? 0n) > edge;
  };
  return { shown: items.filter((item) => !waits(item)), waiting: items.filter(waits) };
}
