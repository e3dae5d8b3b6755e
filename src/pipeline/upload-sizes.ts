/**
 * Which lengths to ask spare uploads for, where lengths are signed before a blob is known: those of the latest blobs,
 * rounded up, and one that is twice the largest of eight.
 *
 * An exchange for a blob's exact length costs some 700 bytes, a round trip and the server's time, so a blob that lives
 * with its page takes a spare that costs little more. Of the rules tried in a simulation of six series of lengths (a
 * shop, apps, few large ones among small ones, growing ones) this was as good as any, and the shortest: in the shop
 * one blob in four asks, and the mean padding is 250 bytes; with spares as large as the largest of eight, six in ten
 * ask for a mean of 290. Where lengths vary by tens of kilobytes eight in ten ask, and should.
 *
 * The large one is for a page's last words: all that it has goes at once, nothing can be asked, and any that is large
 * enough is taken.
 */

/** About what an exchange costs. */
export const MAX_SPARE_PADDING: number = 1_024;
/** What blobs of browser spans weigh, until there are some; the latest last. */
export const FIRST_LENGTHS: readonly number[] = [2_048, 1_024, 2_048, 1_024, 4_096];
export const REMEMBERED_LENGTHS: number = 8;
const STEP_BYTES = 512;
/** No more goes out with a page. */
const MAX_LAST_BYTES = 60_000;

/**
 * @param recent lengths of blobs, at least one, the latest last.
 * @param held the lengths of the spares that there are.
 * @returns `count` lengths.
 */
export function spareLengths(
  recent: readonly number[],
  held: readonly (number | undefined)[],
  count: number,
): number[] {
  const large = Math.min(2 * Math.max(...recent), MAX_LAST_BYTES);
  const hasLarge = held.some((bytes = 0) => bytes >= large);
  const lengths = hasLarge ? recent : [...recent, large];
  return [...Array(count).keys()].map(
    (at) => Math.ceil((lengths.at(-1 - at) ?? large) / STEP_BYTES) * STEP_BYTES,
  );
}
