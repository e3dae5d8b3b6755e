/** Which traces of the list are shown, and the address of what is open. */

/**
 * @typedef {object} Filter
 * @property {string} text every word must occur in a name, service, page url or trace id
 * @property {boolean} errorsOnly
 * @property {string} minMillis as typed; empty or unusable means no bound
 * @property {string} service empty for all
 */

/** @type {Filter} */
export const NO_FILTER = { text: '', errorsOnly: false, minMillis: '', service: '' };

/** True when `filter` lets everything pass. */
export const isNoFilter = (filter) =>
  filter.text.trim() === '' &&
  !filter.errorsOnly &&
  minNanos(filter.minMillis) === 0n &&
  filter.service === '';

/**
 * @param {import('./traces.mjs').Trace[]} traces
 * @param {Filter} filter
 */
export function filterTraces(traces, filter) {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  const bound = minNanos(filter.minMillis);
  return traces.filter(
    ({ summary }) =>
      (!filter.errorsOnly || summary.errorCount > 0) &&
      summary.duration >= bound &&
      (filter.service === '' || summary.services.includes(filter.service)) &&
      words.every((word) => summary.searchText.includes(word)),
  );
}

/**
 * Reads `#trace=…&span=…&tab=raw`.
 *
 * @returns {{ traceId: string, spanId: string, tab: 'waterfall' | 'raw' }} empty ids when absent or not ids
 */
export function parseHash(hash) {
  const fields = new URLSearchParams(hash.replace(/^#/, ''));
  const traceId = (fields.get('trace') ?? '').toLowerCase();
  const spanId = (fields.get('span') ?? '').toLowerCase();
  return {
    traceId: /^[0-9a-f]{32}$/.test(traceId) ? traceId : '',
    spanId: /^[0-9a-f]{16}$/.test(spanId) ? spanId : '',
    tab: fields.get('tab') === 'raw' ? 'raw' : 'waterfall',
  };
}

/** The inverse of {@link parseHash}; `#` when nothing is open. */
export function formatHash({ traceId, spanId, tab }) {
  if (traceId === '') return '#';
  return `#trace=${traceId}${spanId ? `&span=${spanId}` : ''}${tab === 'raw' ? '&tab=raw' : ''}`;
}

function minNanos(minMillis) {
  const millis = Number(minMillis);
  return Number.isFinite(millis) && millis > 0 && millis < 1e12 ? BigInt(Math.round(millis * 1e6)) : 0n;
}
