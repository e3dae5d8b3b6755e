/** How instants, counts and addresses are worded for people. */
import { toEpochMillis } from './timeline.mjs';

const NUMBERS = new Intl.NumberFormat('en');

/** `1 span`, `2 spans`. */
export const plural = (count, noun) => `${NUMBERS.format(count)} ${noun}${count === 1 ? '' : 's'}`;

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

/** What an address points at: its last path segment, or its whole path when it ends with a slash. */
export function resourceName(url) {
  try {
    const { pathname } = new URL(url);
    return pathname.split('/').pop() || pathname;
  } catch {
    return '';
  }
}
