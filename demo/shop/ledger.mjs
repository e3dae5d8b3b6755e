/** The SDK's stats in the words and shares that the panel shows. */

/**
 * @typedef {object} Term One number of the equation.
 * @property {string} name
 * @property {string} label
 * @property {number} count
 */

/** Reasons for which spans go on purpose: the visitor, the user's own hook, or the operator said so. */
const ON_PURPOSE = ['consent', 'redacted', 'paused'];

/** True of a reason for which something was lost that should not have been. @param {string} reason */
export const isAccident = (reason) => !ON_PURPOSE.includes(reason);

/**
 * Where every span is now that ended here, or was left behind by a page that is gone.
 *
 * @param {import('../../src/diagnostics/stats.js').Stats} stats
 * @returns {{ sources: Term[], places: (Term & { percent: number })[], balanced: boolean }} the two sides of the
 *   promise `created + adopted = stored + waiting + dropped + handedOver`, and whether it is kept; percents of the
 *   left side. What passes between pages is left out where it is nothing.
 */
export function readLedger({ spans }) {
  const { created, adopted, stored, waiting, handedOver } = spans;
  const [dropped, leftOut] = [isAccident, (reason) => !isAccident(reason)].map((belongs) =>
    Object.entries(spans.dropped).reduce((sum, [reason, count]) => sum + (belongs(reason) ? count : 0), 0),
  );
  const total = created + adopted;
  const sources = [
    { name: 'created', label: 'ended', count: created },
    ...(adopted > 0 ? [{ name: 'adopted', label: 'from earlier pages', count: adopted }] : []),
  ];
  const places = [
    { name: 'stored', label: 'in the bucket', count: stored },
    { name: 'waiting', label: 'waiting', count: waiting },
    { name: 'dropped', label: 'lost', count: dropped },
    ...(leftOut > 0 ? [{ name: 'left-out', label: 'deleted, as asked', count: leftOut }] : []),
    ...(handedOver > 0
      ? [{ name: 'handed-over', label: 'taken over by another tab', count: handedOver }]
      : []),
  ];
  return {
    sources,
    places: places.map((place) => ({ ...place, percent: (100 * place.count) / Math.max(1, total) })),
    balanced: total === stored + waiting + dropped + leftOut + handedOver,
  };
}

/**
 * Where waiting spans are, and what they are safe from, sentence by sentence.
 *
 * @param {import('../../src/diagnostics/stats.js').Stats} stats
 */
export function describeStorage({ spans: { adopted, waiting }, storage: { durable, failures, corrupt } }) {
  return [
    ...(adopted > 0
      ? [
          `An earlier page left ${plural(adopted, 'span')} behind. This page has taken them over${
            waiting > 0 ? ', and sends them with its own' : ''
          }.`,
        ]
      : []),
    durable
      ? 'What waits is written down in this browser (IndexedDB): reload, close or crash, the next page sends it.'
      : 'This browser keeps nothing for us (no IndexedDB): what waits is lost with the page.',
    ...(failures > 0 ? [`Storage failed ${times(failures)}.`] : []),
    ...(corrupt > 0 ? [`${plural(corrupt, 'record')} of an earlier page could not be read.`] : []),
  ];
}

/** What the switches have done, and what to try now. */
export function describeCuts({ bucket, endpoint }, { blobs, storage }) {
  if (bucket && endpoint) {
    return `Both are down. Click around${storage.durable ? ', then reload' : ''}: spans wait, and none is lost. Then bring them back.`;
  }
  if (bucket) return 'The page cannot reach the bucket. After two failures the endpoint passes the bytes on.';
  if (endpoint) return 'The endpoint is down. Uploads go on while URLs fetched ahead last.';
  if (blobs.waiting > blobs.inFlight)
    return 'Everything is up. What waits is tried again by itself; “Send now” tries at once.';
  return 'Everything is up.';
}

const times = (count) => (count === 1 ? 'once' : `${count} times`);
const plural = (count, noun) => (count === 1 ? `1 ${noun}` : `${count} ${noun}s`);

/** `18.2 kB → 2.1 kB, 8.7 times smaller`, or what to say before anything was compressed. */
export function describeCompression({ raw, gzip }) {
  if (gzip === 0) return 'nothing yet';
  return `${formatBytes(raw)} → ${formatBytes(gzip)}, ${(raw / gzip).toFixed(1)} times smaller`;
}

/** `just now`, `12 s ago`, `3 min ago`. */
export function describeAge(atMillis, nowMillis) {
  const seconds = Math.max(0, Math.round((nowMillis - atMillis) / 1000));
  if (seconds < 3) return 'just now';
  return seconds < 90 ? `${seconds} s ago` : `${Math.round(seconds / 60)} min ago`;
}

/** `12.4 kB`. */
export function formatBytes(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
