/** The SDK's stats in the words and shares that the panel shows. */

/**
 * @typedef {object} Term One number of the equation.
 * @property {string} name
 * @property {string} label
 * @property {number} count
 */

/**
 * Where every span is now that ended here, or was left behind by a page that is gone.
 *
 * @param {import('../../src/diagnostics/stats.js').Stats} stats
 * @returns {{ sources: Term[], places: (Term & { percent: number })[], balanced: boolean }} the two sides of the
 *   promise `created + adopted = stored + waiting + dropped + handedOver`, and whether it is kept; percents of the
 *   left side. What passes between pages is left out where it is nothing.
 */
export function readLedger({ spans }) {
  const { created, adopted = 0, stored, waiting, handedOver = 0 } = spans;
  const dropped = Object.values(spans.dropped).reduce((sum, count) => sum + count, 0);
  const total = created + adopted;
  const sources = [
    { name: 'created', label: 'ended', count: created },
    ...(adopted > 0 ? [{ name: 'adopted', label: 'left by earlier pages', count: adopted }] : []),
  ];
  const places = [
    { name: 'stored', label: 'in the bucket', count: stored },
    { name: 'waiting', label: 'waiting', count: waiting },
    { name: 'dropped', label: 'lost', count: dropped },
    ...(handedOver > 0
      ? [{ name: 'handed-over', label: 'taken over by another tab', count: handedOver }]
      : []),
  ];
  return {
    sources,
    places: places.map((place) => ({ ...place, percent: (100 * place.count) / Math.max(1, total) })),
    balanced: total === stored + waiting + dropped + handedOver,
  };
}

/** What waiting spans are safe from, in a line; undefined when the SDK does not say. */
export function describeStorage(storage) {
  if (storage === undefined) return undefined;
  const failures = storage.failures > 0 ? ` Storage failed ${times(storage.failures)}.` : '';
  return storage.kind === 'durable'
    ? `Waiting spans outlive a reload or a crash.${failures}`
    : `Waiting spans are lost if this page crashes.${failures}`;
}

const times = (count) => (count === 1 ? 'once' : `${count} times`);

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
