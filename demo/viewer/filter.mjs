/** Which traces of the list are shown, and the address of what is open. */
import { overviewPart } from './overview-query.mjs';

/**
 * @typedef {object} Filter
 * @property {string} text every word must occur in a name, service, page url or trace id
 * @property {boolean} errorsOnly
 * @property {string} minMillis as typed; empty or unusable means no bound
 * @property {string} service empty for all
 * @property {import('./page-facts.mjs').Kind | ''} kind empty for all
 *
 * @typedef {object} Place What is open.
 * @property {'traces' | 'sessions' | 'errors' | 'overview'} view
 * @property {string} query of the overview, see overview-query.mjs; empty in other views
 * @property {string} errorId in the view of errors; empty when none is open
 * @property {string} sessionId in the view of sessions; empty when none is open
 * @property {string} traceId empty when none is open
 * @property {string} spanId
 * @property {'waterfall' | 'raw'} tab
 */

/** @type {Filter} */
export const NO_FILTER = { text: '', errorsOnly: false, minMillis: '', service: '', kind: '' };

/** True when `filter` lets everything pass. */
export const isNoFilter = (filter) =>
  filter.text.trim() === '' &&
  !filter.errorsOnly &&
  minNanos(filter.minMillis) === 0n &&
  filter.service === '' &&
  filter.kind === '';

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
      (filter.kind === '' || summary.kind === filter.kind) &&
      (filter.service === '' || summary.services.includes(filter.service)) &&
      words.every((word) => summary.searchText.includes(word)),
  );
}

/** @type {Place} */
export const NOWHERE = {
  view: 'traces',
  query: '',
  errorId: '',
  sessionId: '',
  traceId: '',
  spanId: '',
  tab: 'waterfall',
};
/** Other SDKs make ids of their own; ours have 32 digits. */
const MAX_SESSION_ID_CHARS = 128;

/**
 * Reads `#trace=…&span=…&tab=raw`, `#sessions`, `#session=…`, `#errors`, `#error=…` or `#overview&last=…`, with what is
 * open of it.
 *
 * @returns {Place} empty ids when absent or not ids
 */
export function parseHash(hash) {
  const fields = new URLSearchParams(hash.replace(/^#/, ''));
  const traceId = (fields.get('trace') ?? '').toLowerCase();
  const spanId = (fields.get('span') ?? '').toLowerCase();
  const sessionId = (fields.get('session') ?? '').slice(0, MAX_SESSION_ID_CHARS);
  const error = fields.get('error') ?? '';
  const errorId = /^[0-9a-f]{16}$/.test(error) ? error : '';
  const isOverview = fields.has('overview');
  const isErrors = errorId !== '' || fields.has('errors');
  const isSessions = sessionId !== '' || fields.has('sessions');
  return {
    view: isOverview ? 'overview' : isSessions ? 'sessions' : isErrors ? 'errors' : 'traces',
    query: isOverview ? overviewPart(fields) : '',
    errorId: isOverview ? '' : errorId,
    sessionId: isOverview ? '' : sessionId,
    traceId: /^[0-9a-f]{32}$/.test(traceId) ? traceId : '',
    spanId: /^[0-9a-f]{16}$/.test(spanId) ? spanId : '',
    tab: fields.get('tab') === 'raw' ? 'raw' : 'waterfall',
  };
}

/**
 * The inverse of {@link parseHash}; `#` when nothing is open.
 *
 * @param {Partial<Place>} place
 */
export function formatHash({
  view = 'traces',
  query = '',
  errorId = '',
  sessionId = '',
  traceId = '',
  spanId = '',
  tab = 'waterfall',
}) {
  const fields = [
    ...(view === 'overview' ? ['overview', query] : []),
    ...(view === 'sessions' ? [sessionId ? `session=${encodeURIComponent(sessionId)}` : 'sessions'] : []),
    ...(view === 'errors' ? [errorId ? `error=${errorId}` : 'errors'] : []),
    ...(traceId ? [`trace=${traceId}`, spanId && `span=${spanId}`, tab === 'raw' && 'tab=raw'] : []),
  ];
  return `#${fields.filter(Boolean).join('&')}`;
}

function minNanos(minMillis) {
  const millis = Number(minMillis);
  return Number.isFinite(millis) && millis > 0 && millis < 1e12 ? BigInt(Math.round(millis * 1e6)) : 0n;
}
