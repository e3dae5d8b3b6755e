/**
 * What the tracing of a page says in a trace: its activity, web vitals, errors, session, and how it was sampled. The
 * attributes are in src/spa/README.md; other SDKs' spans have none of them, and then the facts are empty.
 */
import { findAttribute } from './any-value.mjs';
import { withoutEchoes } from './failures.mjs';
import { formatDuration } from './timeline.mjs';

/** Kept of one trace: a page in a loop throws for ever. */
const MAX_EXCEPTIONS = 100;
/** Where a user is named, the first that there is. */
const USER_NAMES = ['user.id', 'user.name', 'user.email', 'enduser.id'];
const RATINGS = ['good', 'needs-improvement', 'poor'];
/** Milliseconds of a minute-long vital are still a number of nanoseconds that a bar can show. */
const MAX_VITAL = 1e9;

/** How kinds of traces are called, in the order of the filter. */
export const KINDS = {
  load: 'Page load',
  route: 'Route change',
  interaction: 'Click or key',
  restore: 'Return to a kept page',
  request: 'Server request',
  other: 'Other trace',
};

/**
 * @typedef {import('./parse-otlp.mjs').Span} Span
 * @typedef {keyof typeof KINDS} Kind
 *
 * @typedef {object} Interaction
 * @property {string} type `click`, `keydown`, …
 * @property {string} target
 * @property {bigint | undefined} time
 *
 * @typedef {object} Vital
 * @property {string} name `LCP`, `INP`, …
 * @property {number} value milliseconds, or for CLS no unit
 * @property {'good' | 'needs-improvement' | 'poor' | ''} rating
 * @property {string} id of the metric; a later report with the same id replaces it
 * @property {string} spanId
 * @property {bigint | undefined} time when it was so: an interaction's start, else the end of its span
 *
 * @typedef {object} Exception
 * @property {string} type
 * @property {string} message
 * @property {string} stack as the browser wrote it; empty where there is none
 * @property {string} readable the same, where somebody has put it into the sources' words before; else as `stack`
 * @property {bigint | undefined} time
 * @property {string} spanId
 *
 * @typedef {object} Vexation what vexed the visitor
 * @property {'rage' | 'dead'} kind
 * @property {string} target
 * @property {number} count clicks
 * @property {bigint | undefined} time
 * @property {string} spanId
 *
 * @typedef {object} PageFacts
 * @property {Kind} kind
 * @property {Span | undefined} activity the span of the activity that began first
 * @property {string} route
 * @property {string} ended why the activity ended: `quiet`, `hidden`, …
 * @property {Interaction | undefined} interaction that began the activity
 * @property {Vital[]} vitals the latest report of each
 * @property {Vexation[]} vexations by time
 * @property {string} user `user.id`, or another name of the user's; empty where nobody is known
 * @property {[flag: string, variant: string][]} flags under which the trace ran
 * @property {Exception[]} exceptions by time; each once, though it was recorded on its way up as well
 * @property {{ id: string, previousId: string, startedAt: bigint | undefined } | undefined} session
 * @property {number} probability with which a trace such as this is kept, over 0, up to 1
 * @property {string} keptFor why it was kept although the rate said no; empty when the rate said yes
 */

/**
 * @param {Span[]} spans of one trace
 * @returns {PageFacts}
 */
export function readPageFacts(spans) {
  let activity;
  let sessionSpan;
  const vitals = new Map();
  const exceptions = [];
  const vexations = [];
  for (const span of spans) {
    if (textOf(span, 'spandrel.activity.type') && !(activity && startsBefore(activity, span)))
      activity = span;
    if (textOf(span, 'session.id') && !(sessionSpan && startsBefore(sessionSpan, span))) sessionSpan = span;
    const vital = readVital(span);
    const key = vital && `${vital.name} ${vital.id}`;
    if (vital && !isAfter(vitals.get(key)?.time, vital.time)) vitals.set(key, vital);
    for (const event of span.events) {
      if (event.name === 'exception') exceptions.push([event, span]);
      const vexing = VEXING.exec(event.name)?.[1];
      if (vexing) vexations.push(readVexation(vexing, event, span));
    }
  }
  const kind = textOf(activity, 'spandrel.activity.type');
  // What says more of the session and of the sampling is on the local root.
  const told = activity ?? sessionSpan;
  return {
    kind: Object.hasOwn(KINDS, kind) ? kind : kindWithoutPage(spans),
    activity,
    route: textOf(activity, 'url.template'),
    ended: textOf(activity, 'spandrel.activity.end'),
    interaction: readInteraction(activity, kind),
    vitals: [...vitals.values()].sort(byTime),
    exceptions: withoutEchoes(
      exceptions
        .slice(0, MAX_EXCEPTIONS)
        .map(([event, span]) => readException(event, span))
        .sort(byTime),
      spans,
    ),
    vexations: vexations.slice(0, MAX_EXCEPTIONS).sort(byTime),
    user: readUser(told, spans),
    flags: readFlags(told),
    session: readSession(told, sessionSpan),
    probability: readProbability(told),
    keptFor: textOf(told, 'spandrel.sampling.reason'),
  };
}

/** What no page has spoken of: a server did, which may be all there is, or all until the page's part comes. */
function kindWithoutPage(spans) {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  return spans.some(({ kind, parentSpanId }) => kind === 'server' && !ids.has(parentSpanId))
    ? 'request'
    : 'other';
}

/** A vital that a span reports, or undefined. */
export function readVital(span) {
  const name = textOf(span, 'browser.web_vital.name').toUpperCase().slice(0, 12);
  const text = textOf(span, 'browser.web_vital.value');
  const value = Number(text);
  if (!name || text === '' || !Number.isFinite(value)) return undefined;
  const rating = textOf(span, 'browser.web_vital.rating');
  return {
    name,
    value: Math.min(MAX_VITAL, Math.max(0, value)),
    rating: RATINGS.includes(rating) ? rating : '',
    id: textOf(span, 'browser.web_vital.id'),
    spanId: span.spanId,
    time: name === 'INP' ? span.start : (span.end ?? span.start),
  };
}

/** `1.24 s`, or for CLS `0.083`. */
export function formatVital({ name, value }) {
  if (name === 'CLS') return String(Number(value.toFixed(3)));
  if (value < 1) return `${Number(value.toFixed(1))} ms`;
  return formatDuration(BigInt(Math.round(value)) * 1_000_000n);
}

/** `good`, `needs improvement`, `poor`, or `not rated`. */
export const ratingWords = (rating) => rating.replace('-', ' ') || 'not rated';

/**
 * Of each name the vital that is worst, by rating and then by value.
 *
 * @param {Iterable<Vital>} vitals
 * @returns {Vital[]} in the order in which people ask for them
 */
export function worstVitals(vitals) {
  const worst = new Map();
  for (const vital of vitals) {
    const known = worst.get(vital.name);
    if (!known || badness(vital) > badness(known)) worst.set(vital.name, vital);
  }
  const rank = (name) => (VITAL_ORDER.indexOf(name) + VITAL_ORDER.length + 1) % (VITAL_ORDER.length + 1);
  return [...worst.values()].sort((a, b) => rank(a.name) - rank(b.name));
}

const VITAL_ORDER = ['LCP', 'INP', 'CLS', 'FCP', 'TTFB'];

// No value reaches the step between two ratings.
const badness = ({ rating, value }) => (RATINGS.indexOf(rating) + 1) * 2 * MAX_VITAL + value;

function readInteraction(activity, kind) {
  if (activity === undefined) return undefined;
  if (kind === 'interaction') return interactionOf(activity.attributes, activity.start);
  const event = activity.events.find(({ attributes }) =>
    findAttribute(attributes, 'spandrel.interaction.type'),
  );
  return event && interactionOf(event.attributes, event.time);
}

function interactionOf(attributes, time) {
  const type = findAttribute(attributes, 'spandrel.interaction.type');
  if (type === undefined) return undefined;
  return { type, target: findAttribute(attributes, 'spandrel.interaction.target') ?? '', time };
}

const VEXING = /^spandrel\.(rage|dead)_click$/;

function readVexation(kind, { attributes, time }, span) {
  const count = Number(findAttribute(attributes, 'spandrel.click.count'));
  const target = textOf(span, 'spandrel.interaction.target') || span.name.replace(/^\w+ /, '');
  return { kind, target, count: count > 0 ? count : 1, time, spanId: span.spanId };
}

/** Of the activity, or of whatever span knows: a user may have become known late. */
function readUser(told, spans) {
  for (const span of [told, ...spans]) {
    for (const name of USER_NAMES) {
      const text = textOf(span, name);
      if (text) return text;
    }
  }
  return '';
}

/** @returns {[flag: string, variant: string][]} */
function readFlags(told) {
  const variants = new Map();
  for (const { name, attributes } of told?.events ?? []) {
    if (name !== 'feature_flag.evaluation') continue;
    const flag = findAttribute(attributes, 'feature_flag.key');
    if (flag) variants.set(flag, findAttribute(attributes, 'feature_flag.result.variant') ?? '');
  }
  return [...variants].slice(0, MAX_EXCEPTIONS);
}

function readException({ attributes, time }, { spanId }) {
  const message = findAttribute(attributes, 'exception.message') ?? '';
  return {
    type: findAttribute(attributes, 'exception.type') ?? 'Error',
    message,
    ...stackOf(attributes),
    time,
    spanId,
  };
}

/** The stack of an exception event, see {@link Exception}. */
export function stackOf(attributes) {
  const readable = findAttribute(attributes, 'exception.stacktrace') ?? '';
  return { stack: findAttribute(attributes, 'exception.stacktrace.original') ?? readable, readable };
}

function readSession(told, sessionSpan) {
  const id = textOf(sessionSpan, 'session.id');
  if (id === '') return undefined;
  const source = textOf(told, 'session.id') === id ? told : sessionSpan;
  const millis = Date.parse(textOf(source, 'spandrel.session.started_at'));
  return {
    id,
    previousId: textOf(source, 'session.previous_id'),
    startedAt: millis > 0 ? BigInt(millis) * 1_000_000n : undefined,
  };
}

function readProbability(span) {
  const probability = Number(textOf(span, 'spandrel.sampling.probability'));
  return probability > 0 && probability < 1 ? probability : 1;
}

const textOf = (span, key) => (span && findAttribute(span.attributes, key)) ?? '';
const isAfter = (time, other) => time !== undefined && (other === undefined || time > other);
const startsBefore = (span, other) => !isAfter(span.start ?? span.end, other.start ?? other.end);

function byTime(a, b) {
  if (a.time === b.time) return 0;
  return isAfter(a.time, b.time) ? 1 : -1;
}
