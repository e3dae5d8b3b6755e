/**
 * Errors as a person counts them: those of one type, whose messages differ in numbers and ids only, and that come from the
 * same place of the page's own code, are one.
 */
import { findAttribute } from './any-value.mjs';

/** Frames that tell groups apart. */
const TOP_FRAMES = 3;
const MAX_MESSAGE_CHARS = 200;
/** Kept of each: newest first. */
const MAX_EXAMPLES = 50;

/**
 * @typedef {object} Occurrence
 * @property {import('./page-facts.mjs').Exception} exception
 * @property {import('./traces.mjs').Trace} trace
 * @property {string} release empty where the resource has no `service.version`
 * @property {string} project whose maps resolve it
 *
 * @typedef {object} ErrorGroup
 * @property {string} id
 * @property {string} type
 * @property {string} message with numbers and ids folded
 * @property {string} place the top frame of the page's own code; empty where none is known
 * @property {number} count of occurrences that were read
 * @property {number} estimate of how many there were: traces that were sampled stand for others
 * @property {number} users with an id
 * @property {number} sessions
 * @property {bigint | undefined} first nanoseconds since the epoch
 * @property {bigint | undefined} last
 * @property {string[]} releases by their first occurrence, latest first
 * @property {string[]} routes
 * @property {Occurrence[]} examples newest first
 *
 * @typedef {{ lines: { text: string, frame?: RawFrame, place?: Place, called?: string, why?: string }[], isResolved: boolean }} Resolved
 * @typedef {{ name: string, url: string, line: number, column: number }} RawFrame
 * @typedef {{ source: string, line: number, column: number, isOwn: boolean, context?: { first: number, lines: string[] } }} Place
 */

/** @param {import('./traces.mjs').Trace[]} traces @returns {Occurrence[]} */
export function occurrencesOf(traces) {
  return traces.flatMap((trace) =>
    trace.summary.exceptions.map((exception) => {
      const { resource } = trace.spans.get(exception.spanId) ?? {};
      const release = findAttribute(resource?.attributes ?? [], 'service.version') ?? '';
      return { exception, trace, release, project: projectOf(trace.parts[0]?.key ?? '') };
    }),
  );
}

/** Of a key that is laid out as ours are; where it is not, the project that pages are of which name none. */
export function projectOf(key) {
  return /(?:^|\/)([^/]+)\/[^/]+\/year=\d{4}\/month=\d\d\//.exec(key)?.[1] ?? 'default';
}

/**
 * @param {Occurrence[]} occurrences
 * @param {(occurrence: Occurrence) => Resolved | undefined} resolvedOf what is known of its stack
 * @returns {ErrorGroup[]} those of most sessions first
 */
export function groupErrors(occurrences, resolvedOf) {
  const byKey = new Map();
  for (const one of occurrences) {
    const { type } = one.exception;
    const message = foldMessage(one.exception.message);
    const frames = ownFrames(one, resolvedOf(one));
    const key = [type, message, ...frames].join('\n');
    const group = byKey.get(key) ?? { type, message, place: frames[0] ?? '', of: [] };
    byKey.set(key, group);
    group.of.push(one);
  }
  return [...byKey]
    .map(([key, group]) => summarize(hash(key), group))
    .sort((a, b) => b.sessions - a.sessions || b.count - a.count || compareTimes(b.last, a.last));
}

/** `Item 17 of 3f2a0c1e-…` becomes `Item # of #`. */
export function foldMessage(message) {
  return message
    .slice(0, 1_000)
    .replace(/\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi, '#')
    .replace(/\b(?=[a-z]*\d)[0-9a-f]{8,}\b/gi, '#')
    .replace(/(https?:\/\/[^\s?#"')]+)[?#][^\s"')]*/g, '$1')
    .replace(/\d+(?:[.,]\d+)*/g, '#')
    .slice(0, MAX_MESSAGE_CHARS);
}

/** What tells where it was thrown, and stays from release to release. */
function ownFrames({ exception }, resolved) {
  if (resolved?.isResolved) {
    const places = resolved.lines.filter(({ place }) => place?.isOwn).slice(0, TOP_FRAMES);
    if (places.length > 0) {
      return places.map(({ place, called }) => (called ? `${called} (${place.source})` : place.source));
    }
  }
  return exception.stack.split('\n', 40).flatMap(rawPlace).slice(0, TOP_FRAMES);
}

/** A bundler's hash in a file's name is another in each release; a minifier's names say nothing, and lines neither. */
function rawPlace(line) {
  const [, name, path] =
    /^\s*(?:at )?(?:(.*?) ?[(@])?\w+:\/\/[^/\s]*(\/[^\s?#:]*)[^\s]*?:\d+:\d+\)?$/.exec(
      line.slice(0, 2_000),
    ) ?? [];
  if (!path || /\/node_modules\//.test(path)) return [];
  const file = path.replace(/[-.](?=[\w-]*\d)[\w-]{6,}(?=\.[cm]?js$)/, '');
  return [name && name.length > 3 ? `${name} (${file})` : file];
}

function summarize(id, { type, message, place, of }) {
  const users = new Set();
  const sessions = new Set();
  const releases = new Map();
  const routes = new Set();
  let [first, last, estimate] = [undefined, undefined, 0];
  for (const { exception, trace, release } of of) {
    const { summary } = trace;
    const time = exception.time ?? summary.start;
    if (time !== undefined && (first === undefined || time < first)) first = time;
    if (time !== undefined && (last === undefined || time > last)) last = time;
    const span = trace.spans.get(exception.spanId);
    const user = findAttribute(span?.attributes ?? [], 'user.id', 'enduser.id');
    if (user !== undefined) users.add(user);
    // What no session tells of is a visit of its own.
    sessions.add(summary.session?.id ?? trace.traceId);
    if (release && (!releases.has(release) || compareTimes(time, releases.get(release)) < 0))
      releases.set(release, time);
    if (summary.route) routes.add(summary.route);
    estimate += summary.keptFor ? 1 : 1 / summary.probability;
  }
  const examples = of.sort((a, b) => compareTimes(b.exception.time, a.exception.time)).slice(0, MAX_EXAMPLES);
  return {
    ...{ id, type, message, place, first, last, examples },
    count: of.length,
    estimate: Math.round(estimate),
    users: users.size,
    sessions: sessions.size,
    releases: [...releases].sort(([, a], [, b]) => compareTimes(b, a)).map(([release]) => release),
    routes: [...routes].sort(),
  };
}

// What has no time is the oldest.
function compareTimes(a = 0n, b = 0n) {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** FNV-1a over UTF-16, twice with other seeds: for addresses, not for secrets. */
function hash(text) {
  const half = (seed) => {
    let value = seed;
    for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
    return (value >>> 0).toString(16).padStart(8, '0');
  };
  return half(0x811c9dc5) + half(0x050c5d1f);
}
