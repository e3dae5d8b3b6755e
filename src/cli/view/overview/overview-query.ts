/** What a page asks the overview for, read from the address: typed, bounded, and refused in words. */

/** What one can look at the web vitals by. */
export const SIDES = ['route', 'release', 'browser', 'os', 'device', 'country', 'service'] as const;
const FIGURES = ['vital', 'error', 'request', 'activity', 'trace'] as const;

export interface OverviewQuery {
  /** Epoch milliseconds. */
  from: number;
  /** Epoch milliseconds, not included. */
  until: number;
  by: (typeof SIDES)[number];
  /** Filters: `keys[i]` is to be `values[i]`. */
  keys: string[];
  values: string[];
}

export interface TracesQuery extends OverviewQuery {
  figure: (typeof FIGURES)[number];
  name: string;
  message: string;
  frame: string;
  target: string;
  only: string;
  low: number;
  high: number;
}

/** A request that cannot be answered; the message says which part of it, what it got and what it takes. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
}

const DAY_MILLIS = 86_400_000;
/** The year 5138: the last that some engines can write. */
const MAX_MILLIS = 1e14;
const MAX_FILTERS = 8;
const MAX_KEY_LENGTH = 200;
const MAX_TEXT_LENGTH = 1_000;

/**
 * `from` and `until` (epoch milliseconds; by default the last day), `by` (default `route`), and any number up to 8 of
 * `where`, each `key=value`.
 *
 * @throws {QueryError}
 */
export function readQuery(params: URLSearchParams, now: number): OverviewQuery {
  const until = numberIn(params, 'until', now);
  const from = numberIn(params, 'from', until - DAY_MILLIS);
  if (from >= until) throw new QueryError(`"from" is ${from}: it takes a time before "until", ${until}`);
  const filters = params.getAll('where').map(readFilter);
  if (filters.length > MAX_FILTERS)
    throw new QueryError(`"where" comes ${filters.length} times: it may ${MAX_FILTERS} times`);
  return {
    ...{ from, until, by: oneOf(params, 'by', SIDES, 'route') },
    keys: filters.map(([key]) => key),
    values: filters.map(([, value]) => value),
  };
}

/**
 * The same, with the figure whose traces are asked for: `figure` and what names it.
 *
 * @throws {QueryError}
 */
export function readTracesQuery(params: URLSearchParams, now: number): TracesQuery {
  return {
    ...readQuery(params, now),
    figure: oneOf(params, 'figure', FIGURES, 'trace'),
    ...{ name: textIn(params, 'name'), message: textIn(params, 'message'), frame: textIn(params, 'frame') },
    ...{ target: textIn(params, 'target'), only: textIn(params, 'only') },
    low: numberIn(params, 'low', 0),
    high: numberIn(params, 'high', MAX_MILLIS),
  };
}

function readFilter(text: string): [key: string, value: string] {
  const at = text.indexOf('=');
  const [key, value] = [text.slice(0, at), text.slice(at + 1)];
  if (at < 1 || key.length > MAX_KEY_LENGTH || value.length > MAX_TEXT_LENGTH)
    throw new QueryError(
      `"where" is ${quoted(text)}: it takes key=value, of at most ${MAX_KEY_LENGTH} and ${MAX_TEXT_LENGTH} characters`,
    );
  return [key, value];
}

function numberIn(params: URLSearchParams, name: string, otherwise: number): number {
  const text = params.get(name);
  if (text === null) return otherwise;
  const number = text.trim() === '' ? Number.NaN : Number(text);
  if (!(number >= 0 && number <= MAX_MILLIS))
    throw new QueryError(`"${name}" is ${quoted(text)}: it takes a number from 0 to ${MAX_MILLIS}`);
  return number;
}

function oneOf<T extends string>(params: URLSearchParams, name: string, all: readonly T[], otherwise: T): T {
  const text = params.get(name);
  if (text === null) return otherwise;
  const found = all.find((one) => one === text);
  if (!found) throw new QueryError(`"${name}" is ${quoted(text)}: it takes one of ${all.join(', ')}`);
  return found;
}

function textIn(params: URLSearchParams, name: string): string {
  const text = params.get(name) ?? '';
  if (text.length > MAX_TEXT_LENGTH)
    throw new QueryError(`"${name}" has ${text.length} characters: it takes at most ${MAX_TEXT_LENGTH}`);
  return text;
}

const quoted = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
