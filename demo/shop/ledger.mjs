/** The SDK's stats in the words and shares that the panel shows. */

/**
 * Where every span that ended is now.
 *
 * @param {import('../../src/diagnostics/stats.js').Stats} stats
 * @returns {{ created: number, parts: { name: string, label: string, count: number, percent: number }[],
 *   balanced: boolean }} percents of what was created; `balanced` is the promise `created = stored + waiting + dropped`
 */
export function readLedger({ spans }) {
  const dropped = Object.values(spans.dropped).reduce((sum, count) => sum + count, 0);
  const parts = [
    { name: 'stored', label: 'in the bucket', count: spans.stored },
    { name: 'waiting', label: 'waiting', count: spans.waiting },
    { name: 'dropped', label: 'lost', count: dropped },
  ];
  return {
    created: spans.created,
    parts: parts.map((part) => ({ ...part, percent: (100 * part.count) / Math.max(1, spans.created) })),
    balanced: spans.created === spans.stored + spans.waiting + dropped,
  };
}

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
