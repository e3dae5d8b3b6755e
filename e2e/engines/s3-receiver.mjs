/**
 * What the Collector's S3 receiver does with a bucket, by its source of late 2025 and after (receiver/awss3receiver,
 * s3reader.go and receiver.go): which prefixes it lists for a range of time, and what it makes of an object.
 *
 * @typedef {object} Downloader `s3downloader` of its configuration.
 * @property {string} [s3_prefix]
 * @property {string} [s3_partition_format]
 * @property {string} [s3_partition_timezone]
 * @property {string} [file_prefix]
 * @property {boolean} [file_prefix_include_telemetry_type]
 */
import { gunzipSync } from 'node:zlib';

const DEFAULT_FORMAT = 'year=%Y/month=%m/day=%d/hour=%H/minute=%M';
const MINUTE_MILLIS = 60_000;
const HOUR_MILLIS = 60 * MINUTE_MILLIS;

/** C's strftime, as far as partitions need it. @param {string} format @param {Date} at @param {string} timeZone */
function strftime(format, at, timeZone) {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone,
    hourCycle: 'h23',
    ...{ year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' },
  }).formatToParts(at);
  const names = { Y: 'year', m: 'month', d: 'day', H: 'hour', M: 'minute' };
  return format.replace(/%([YmdHM])/g, (_, letter) => {
    const name = names[/** @type {keyof typeof names} */ (letter)];
    return parts.find(({ type }) => type === name)?.value ?? '';
  });
}

/**
 * What it lists for one instant.
 *
 * @param {Downloader} downloader @param {Date} at @param {'traces' | 'logs' | 'metrics'} signal
 */
export function listedPrefix(downloader, at, signal) {
  const { s3_prefix = '', s3_partition_format = DEFAULT_FORMAT, s3_partition_timezone = 'UTC' } = downloader;
  const time = strftime(s3_partition_format, at, s3_partition_timezone);
  const type = downloader.file_prefix_include_telemetry_type ? `${signal}_` : '';
  const file = `${downloader.file_prefix ?? ''}${type}`;
  // Slashes alone stand as they are; after anything else comes one more.
  if (/^\/*$/.test(s3_prefix)) return `${s3_prefix}${time}/${file}`;
  return `${s3_prefix}/${time}/${file}`;
}

/** Everything that it lists from `start` until before `end`. @param {Downloader} downloader @param {Date} start @param {Date} end */
export function listedPrefixes(downloader, start, end) {
  const step = (downloader.s3_partition_format ?? DEFAULT_FORMAT).includes('%M')
    ? MINUTE_MILLIS
    : HOUR_MILLIS;
  /** @type {string[]} */
  const prefixes = [];
  for (let at = start.getTime(); at < end.getTime(); at += step)
    prefixes.push(listedPrefix(downloader, new Date(at), 'traces'));
  return prefixes;
}

/**
 * What it hands on: the first JSON value, and nothing of what comes after.
 *
 * @param {string} key The suffix alone decides.
 * @param {Uint8Array} bytes
 * @returns {any} Undefined where it passes the object over, with a warning.
 * @throws where it ends the run.
 */
export function receive(key, bytes) {
  const body = key.endsWith('.gz') ? gunzipSync(bytes) : bytes;
  if (!key.replace(/\.gz$/, '').endsWith('.json')) return undefined;
  const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  const [first = ''] = text.trim().split(/(?<=\})\s*\n\s*(?=\{)/);
  return JSON.parse(first);
}
