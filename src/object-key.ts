/**
 * Where objects lie: `{prefix}/{project}/{env}/year=YYYY/month=MM/day=DD/hour=HH/minute=MM/traces_{uuid}.json.gz`, and
 * `logs_{uuid}.json.gz` beside them.
 *
 * All times are UTC. This is the layout that the OpenTelemetry Collector's S3 receiver lists by default, and it
 * decides by the suffix alone how to read an object. Of what a client sends nothing but the UUID is ever part of a key.
 *
 * @see https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/receiver/awss3receiver
 */
export interface KeyLayout {
  /** Segments joined by slashes, see {@link isKeyPrefix}. */
  prefix: string;
  /** See {@link isKeySegment}. */
  environment: string;
}

/** What an object holds: OTLP's `resourceSpans`, or its `resourceLogs`. Keys begin their names with it. */
export type Signal = 'traces' | 'logs';

/** Where neither the user nor the operator says otherwise. */
export const DEFAULT_LAYOUT: KeyLayout = { prefix: 'otlp/v1', environment: 'production' };
export const DEFAULT_PROJECT = 'default';

const SEGMENT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** Leaves most of the 1,024 bytes that stores allow, and keeps tokens short. */
const MAX_PREFIX_LENGTH = 200;

/** 1 to 64 letters, digits, dots, underscores and dashes, of which the first is a letter or digit. */
export function isKeySegment(text: string): boolean {
  return SEGMENT.test(text);
}

/** Key segments joined by single slashes, none at either end, at most 200 characters in all. */
export function isKeyPrefix(text: string): boolean {
  return text.length <= MAX_PREFIX_LENGTH && text.split('/').every(isKeySegment);
}

/**
 * The key of one object.
 *
 * @param atMillis epoch milliseconds that choose the minute's folder.
 */
export function objectKey(
  layout: KeyLayout,
  project: string,
  atMillis: number,
  uuid: string,
  signal: Signal = 'traces',
): string {
  const iso = new Date(atMillis).toISOString();
  return [
    layout.prefix,
    project,
    layout.environment,
    `year=${iso.slice(0, 4)}`,
    `month=${iso.slice(5, 7)}`,
    `day=${iso.slice(8, 10)}`,
    `hour=${iso.slice(11, 13)}`,
    `minute=${iso.slice(14, 16)}`,
    `${signal}_${uuid}.json.gz`,
  ].join('/');
}

/**
 * The minute that blobs lie in whose ids tell a time that cannot be: `year=1970/month=01/day=01/hour=00/minute=00`. It is
 * laid out as all others are, and readers that look at times take these for what was stored when it was stored.
 */
export const UNDATED_MILLIS = 0;

/** Clients keep a blob for 7 days; clocks and servers may differ. */
const OLDEST_MILLIS = 8 * 86_400_000;
/** A client that has heard of no other clock goes by its own. */
const AHEAD_MILLIS = 86_400_000;

/**
 * The key of a blob, by its id alone: whoever sends it, by whichever way, writes the same object.
 *
 * @param id a lowercase UUIDv7, made at `atMillis`.
 * @returns the key by the id's time, or in the minute of {@link UNDATED_MILLIS} where that is over 8 days ago or over a
 *   day ahead. `other` is the one of both that it is not: where it may lie that was stored when the time was another.
 */
export function blobKey(
  layout: KeyLayout,
  project: string,
  {
    id,
    atMillis,
    nowMillis,
    signal = 'traces',
  }: { id: string; atMillis: number; nowMillis: number; signal?: Signal | undefined },
): { key: string; other: string } {
  const dated = objectKey(layout, project, Math.min(atMillis, MAX_YEAR_MILLIS), id, signal);
  const undated = objectKey(layout, project, UNDATED_MILLIS, id, signal);
  const isDated = atMillis >= nowMillis - OLDEST_MILLIS && atMillis <= nowMillis + AHEAD_MILLIS;
  return isDated ? { key: dated, other: undated } : { key: undated, other: dated };
}

/** Years have four digits. */
const MAX_YEAR_MILLIS = Date.UTC(9999, 11, 31);

/** What a key says of its object. */
export interface ParsedKey {
  project: string;
  environment: string;
  signal: Signal;
  /** What comes after the signal and `_`; of our own a UUIDv7. */
  id: string;
}

const KEY =
  /^(?:[^/]+\/)*([^/]+)\/([^/]+)\/year=\d{4}\/month=\d\d\/day=\d\d\/hour=\d\d\/minute=\d\d\/(traces|logs)_([^/]+)\.json\.gz$/;

/** Reads a key of {@link objectKey}, whatever its prefix. @returns undefined when it is laid out otherwise. */
export function parseObjectKey(key: string): ParsedKey | undefined {
  const [, project = '', environment = '', signal, id = ''] = KEY.exec(key) ?? [];
  if (!isKeySegment(project) || !isKeySegment(environment) || !isKeySegment(id)) return undefined;
  return { project, environment, signal: signal as Signal, id };
}
