/** What the overview shows lives in the address: range of time, filters, side, and the figure whose traces are open. */

/** What the address may say of the overview; `where` may come often. */
const KEYS = [
  ...['last', 'from', 'until', 'by', 'where'],
  ...['figure', 'name', 'message', 'frame', 'target', 'only', 'low', 'high'],
];
/** Those of them that name a figure. */
const FIGURE_KEYS = KEYS.slice(5);
const MAX_QUERY_CHARS = 8_000;

/** Ranges to choose from, milliseconds by name. */
export const RANGES = {
  '1h': [3_600_000, 'Last hour'],
  '24h': [86_400_000, 'Last 24 hours'],
  '7d': [604_800_000, 'Last 7 days'],
  '30d': [2_592_000_000, 'Last 30 days'],
  '90d': [7_776_000_000, 'Last 90 days'],
};
export const DEFAULT_RANGE = '24h';

/** What one can look at the web vitals by. */
export const SIDES = {
  route: 'Route',
  release: 'Release',
  browser: 'Browser',
  os: 'System',
  device: 'Device',
  country: 'Country',
  service: 'Service',
};

/**
 * What of an address is the overview's.
 *
 * @param {URLSearchParams} fields
 * @returns {string} in one order, so that the same is the same text
 */
export function overviewPart(fields) {
  const own = new URLSearchParams();
  for (const key of KEYS) for (const value of fields.getAll(key)) if (value !== '') own.append(key, value);
  const text = own.toString();
  return text.length > MAX_QUERY_CHARS ? '' : text;
}

/**
 * The query with some of it changed; an empty value leaves its key out. Whatever changes, the open figure closes, unless
 * it is what is changed.
 *
 * @param {string} query
 * @param {Record<string, string | number | string[]>} change
 */
export function changeQuery(query, change) {
  const fields = new URLSearchParams(query);
  for (const key of FIGURE_KEYS) fields.delete(key);
  for (const [key, value] of Object.entries(change)) {
    fields.delete(key);
    for (const one of [value].flat()) if (one !== '') fields.append(key, String(one));
  }
  return overviewPart(fields);
}

/** The address of the overview. @param {string} query @param {string} [traceId] that is open */
export const overviewHref = (query, traceId = '') =>
  `#${['overview', query, traceId && `trace=${traceId}`].filter(Boolean).join('&')}`;

/** Adds a filter, or takes it away where it is there. @param {string} query @param {string} key @param {string} value */
export function toggleFilter(query, key, value) {
  const filters = filtersOf(query);
  const filter = `${key}=${value}`;
  return changeQuery(query, {
    where: filters.includes(filter) ? filters.filter((one) => one !== filter) : [...filters, filter],
  });
}

/** @param {string} query @returns {string[]} each `key=value` */
export const filtersOf = (query) => new URLSearchParams(query).getAll('where');

/**
 * The range of time that a query means.
 *
 * @param {string} query
 * @param {number} now epoch milliseconds
 * @returns {{ last: string, from: number, until: number }} `last` is empty for a range of one's own
 */
export function rangeOf(query, now) {
  const fields = new URLSearchParams(query);
  const [from, until] = [Number(fields.get('from')), Number(fields.get('until'))];
  if (from > 0 && until > from) return { last: '', from, until };
  const asked = fields.get('last') ?? '';
  const last = Object.hasOwn(RANGES, asked) ? asked : DEFAULT_RANGE;
  return { last, from: now - RANGES[last][0], until: now };
}

/** What the host is asked for a query. @param {string} query @param {number} now */
export function requestOf(query, now) {
  const fields = new URLSearchParams(query);
  const { from, until } = rangeOf(query, now);
  fields.delete('last');
  fields.set('from', String(from));
  fields.set('until', String(until));
  return fields;
}
