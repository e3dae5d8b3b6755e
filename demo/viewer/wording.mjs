/** How instants, counts and addresses are worded for people. */
import { toEpochMillis } from './timeline.mjs';

export const NUMBERS = new Intl.NumberFormat('en');

/** `1 span`, `2 spans`, `2 activities`. */
export const plural = (count, noun) =>
  `${NUMBERS.format(count)} ${count === 1 ? noun : `${noun}s`.replace(/([^aeiou])ys$/, '$1ies')}`;

/** As much of an id as tells a few apart. */
export const shortId = (id) => id.slice(0, 8);

/** A user's id or hash, as long as a name may be. */
export const shortUser = (user) => (user.length > 24 ? `${user.slice(0, 12)}…` : user);

/** What vexed, in words. @param {import('./page-facts.mjs').Vexation} vexation */
export function describeVexation({ kind, target, count }) {
  const times = `${plural(count, 'click')} on ${target}`;
  return kind === 'rage' ? `${times} in a hurry` : `${times}, and nothing happened`;
}

/** Why an activity ended, where that says something; else nothing. */
export const describeEnd = (reason) =>
  ({ timeout: 'cut after 30 s', hidden: 'page was hidden', leaving: 'page was left' })[reason] ?? '';

/** False of a part that is an instant: that says nothing of how long the whole took. */
export const hasLength = ({ isFragment, duration }) => !isFragment || duration > 0n;

/** How many traces such as this there were. */
export function describeOdds({ probability, keptFor }) {
  if (keptFor) return `kept: ${keptFor}`;
  return `1 in ${NUMBERS.format(Number((1 / probability).toPrecision(3)))} kept`;
}

/**
 * Time of day, with the date when it is not today.
 *
 * @param {bigint | undefined} nanos since the epoch
 */
export function formatTime(nanos, now = new Date()) {
  const millis = nanos === undefined ? undefined : toEpochMillis(nanos);
  return millis === undefined ? 'no time' : formatMillis(millis, now);
}

/** The same for epoch milliseconds. */
export function formatMillis(millis, now = new Date()) {
  const date = new Date(millis);
  const time = date.toLocaleTimeString('en-GB');
  return date.toDateString() === now.toDateString() ? time : `${date.toISOString().slice(0, 10)} ${time}`;
}

/** The part of an address that tells pages apart; the text itself when it is no address. */
export function pagePath(url) {
  try {
    const { host, pathname, search, hash } = new URL(url);
    return `${host}${pathname}${search}${hash}`;
  } catch {
    return url;
  }
}

/** The same without the host, where a column of addresses has little room. */
export function pathOnly(url) {
  try {
    const { pathname, search, hash } = new URL(url);
    return `${pathname}${search}${hash}`;
  } catch {
    return url;
  }
}

/** What an address points at: its last path segment, or its whole path when it ends with a slash. */
export function resourceName(url) {
  try {
    const { pathname } = new URL(url);
    return pathname.split('/').pop() || pathname;
  } catch {
    return '';
  }
}
