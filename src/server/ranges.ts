/** Sets of whole numbers as ranges, in order and apart: as large as their holes are many, however large the numbers. */

/** The whole numbers from `first` to `last`, both included. */
export interface NumberRange {
  first: number;
  last: number;
}

/**
 * Puts a whole number into `ranges`, in place.
 *
 * @returns false, and nothing is changed, when that would take more than `maxRanges`.
 */
export function addToRanges(ranges: NumberRange[], value: number, maxRanges: number): boolean {
  const found = ranges.findIndex(({ last }) => value <= last + 1);
  const at = found < 0 ? ranges.length : found;
  const range = ranges[at];
  if (!range || value < range.first - 1) {
    if (ranges.length >= maxRanges) return false;
    ranges.splice(at, 0, { first: value, last: value });
    return true;
  }
  range.first = Math.min(range.first, value);
  range.last = Math.max(range.last, value);
  const next = ranges[at + 1];
  if (next && next.first === range.last + 1) {
    range.last = next.last;
    ranges.splice(at + 1, 1);
  }
  return true;
}

/** What of `whole` is not in `taken`. */
export function subtractRanges(whole: readonly NumberRange[], taken: readonly NumberRange[]): NumberRange[] {
  return whole.flatMap(({ first, last }) => {
    const left: NumberRange[] = [];
    let from = first;
    for (const hole of taken) {
      if (hole.last < from) continue;
      if (hole.first > last) break;
      if (hole.first > from) left.push({ first: from, last: hole.first - 1 });
      from = hole.last + 1;
    }
    if (from <= last) left.push({ first: from, last });
    return left;
  });
}
