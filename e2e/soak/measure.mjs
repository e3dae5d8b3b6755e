/**
 * What is looked at while the soak runs.
 *
 * @typedef {object} Sample
 * @property {number} atMillis Since the beginning.
 * @property {number} heapBytes After a collection.
 * @property {number} listeners
 * @property {number} databaseBytes
 * @property {number} unevenSpans `created + adopted` without all that has become of them.
 * @property {Record<string, any>} spans Of `stats()`.
 * @property {number} storedSpans In the bucket.
 * @property {number} duplicateSpans
 * @property {number} duplicateObjects
 * @property {number} unexpected Spans that nobody emitted.
 */

const LOOK = `(async () => {
  const { usage = 0, usageDetails = {} } = await navigator.storage.estimate();
  return { spans: copies[0].stats().spans, databaseBytes: usageDetails.indexedDB ?? usage };
})()`;

/**
 * @param {import('@playwright/test').Page} page
 * @param {import('@playwright/test').CDPSession} session Of the page.
 * @returns {Promise<Pick<Sample, 'heapBytes' | 'listeners' | 'databaseBytes' | 'unevenSpans' | 'spans'>>}
 */
export async function measurePage(page, session) {
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  const { jsEventListeners } = await session.send('Memory.getDOMCounters');
  const { spans, databaseBytes } = /** @type {any} */ (await page.evaluate(LOOK));
  return {
    heapBytes: usedSize,
    listeners: jsEventListeners,
    databaseBytes,
    unevenSpans: unevenOf(spans),
    spans,
  };
}

/** @param {Record<string, any>} spans */
function unevenOf({ created, adopted, stored, waiting, dropped, handedOver }) {
  const lost = Object.values(/** @type {Record<string, number>} */ (dropped)).reduce(
    (sum, count) => sum + count,
    0,
  );
  return created + adopted - stored - waiting - lost - handedOver;
}

/**
 * Least squares through the heaps of the second half, MB a minute.
 *
 * @param {readonly Sample[]} samples
 */
export function heapSlope(samples) {
  const lastMillis = samples.at(-1)?.atMillis ?? 0;
  const points = samples
    .filter(({ atMillis }) => atMillis >= lastMillis / 2)
    .map(({ atMillis, heapBytes }) => ({ x: atMillis / 60_000, y: heapBytes / 1e6 }));
  const mean = (/** @type {number[]} */ all) => all.reduce((sum, one) => sum + one, 0) / (all.length || 1);
  const [x, y] = [mean(points.map((point) => point.x)), mean(points.map((point) => point.y))];
  const spread = points.reduce((sum, point) => sum + (point.x - x) ** 2, 0);
  return points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0) / (spread || 1);
}
