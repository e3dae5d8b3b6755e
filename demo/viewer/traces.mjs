/**
 * All traces read so far, gathered from the objects of the bucket: the parts of one trace meet here by trace
 * id, and a span that came twice is kept once.
 */
import { findAttribute } from './any-value.mjs';
import { countFailures } from './failures.mjs';
import { readPageFacts } from './page-facts.mjs';

/** Traces kept in the page; the oldest go first. */
const MAX_TRACES = 2000;
/** Spans kept of one trace. */
const MAX_SPANS_PER_TRACE = 50_000;
/** Logs kept of one trace, and traces whose logs are: they may come before its spans. */
const MAX_LOGS_PER_TRACE = 1_000;
const MAX_LOGGED_TRACES = 4_000;
/** Attributes that may name the page, best first. */
const PAGE_KEYS = [
  ...['browser.document.url.full', 'browser.page.url', 'page.url'],
  // Of a request it is where that went; 0.1.0 called the page by it as well.
  ...['url.full', 'http.url', 'location.href'],
];
/** Characters of names and ids that the search looks through. */
const MAX_SEARCH_CHARS = 100_000;

/**
 * @typedef {object} Trace
 * @property {string} traceId
 * @property {Map<string, import('./parse-otlp.mjs').Span>} spans by span id
 * @property {{ key: string, size: number, uploadedAt: number, resourceSpans: object[] }[]} parts one per object
 * @property {number} duplicates spans that came more than once
 * @property {import('./parse-logs.mjs').Log[]} logs in the order in which they were read
 * @property {number} revision grows with every part
 * @property {boolean} isNews it came by itself: none of its parts was asked for
 * @property {Summary} summary
 *
 * @typedef {import('./page-facts.mjs').PageFacts & OwnSummary} Summary
 *
 * @typedef {object} OwnSummary
 * @property {string} rootName that of the page's activity, which may continue a server's trace; else of the root; else,
 *   of a server's part, of the earliest span; else {@link FRAGMENT_NAME}
 * @property {boolean} hasRoot false while only parts without either have been read
 * @property {boolean} isFragment a part that says nothing of what it is a part of: its root has not been read
 * @property {string} partNames of a fragment, what is there of it
 * @property {string[]} services all, sorted
 * @property {bigint | undefined} start nanoseconds since the epoch
 * @property {bigint} extent nanoseconds, from the earliest start to the latest end
 * @property {bigint} duration nanoseconds, of the page's activity; what is reported of it later, such as a shift of the
 *   layout, does not make it longer. Else the extent
 * @property {number} spanCount
 * @property {number} errorCount failures, see failures.mjs
 * @property {string} pageUrl empty when no span tells
 * @property {string} searchText lower case
 */

/** How a part of a trace is called whose root has not been read. */
export const FRAGMENT_NAME = 'Part of a trace';
/** Names told of a fragment. */
const MAX_PART_NAMES = 3;

/** Creates an empty collection. */
export function createTraces() {
  /** @type {Map<string, Trace>} */
  const byId = new Map();
  /** @type {Map<string, { keys: Set<string>, logs: import('./parse-logs.mjs').Log[] }>} */
  const logsById = new Map();
  /** Kept however old they are. */
  const wanted = new Set();

  return {
    /** Keeps a trace that somebody asked for, when it comes. */
    want: (traceId) => void wanted.add(traceId),

    /** @returns {Trace | undefined} */
    get: (traceId) => byId.get(traceId),

    /** True when a further trace would push out the oldest. */
    isFull: () => byId.size >= MAX_TRACES,

    /** Adds what {@link parseRequest} read from the object `key`. Adding an object twice changes nothing. */
    add({ key, size, uploadedAt }, parsedTraces, isNews = false) {
      for (const [traceId, { spans, resourceSpans }] of parsedTraces) {
        let trace = byId.get(traceId);
        if (trace === undefined) {
          trace = {
            traceId,
            spans: new Map(),
            parts: [],
            duplicates: 0,
            logs: logsById.get(traceId)?.logs ?? [],
            revision: 0,
            isNews,
            summary: undefined,
          };
          byId.set(traceId, trace);
        }
        if (trace.parts.some((part) => part.key === key)) continue;
        trace.isNews &&= isNews;
        trace.parts.push({ key, size, uploadedAt, resourceSpans });
        for (const span of spans) addSpan(trace, span);
        trace.revision += 1;
        trace.summary = summarize(trace.spans);
      }
      for (const { traceId } of newestFirst(byId).slice(MAX_TRACES))
        if (!wanted.has(traceId)) byId.delete(traceId);
    },

    /** Adds what `parseLogs` read from the object `key`, as {@link add} does spans. */
    addLogs({ key }, parsedLogs) {
      for (const [traceId, logs] of parsedLogs) {
        const known = logsById.get(traceId) ?? { keys: new Set(), logs: [] };
        logsById.set(traceId, known);
        if (known.keys.has(key)) continue;
        known.keys.add(key);
        known.logs.push(...logs.slice(0, MAX_LOGS_PER_TRACE - known.logs.length));
        const trace = byId.get(traceId);
        if (trace === undefined) continue;
        trace.logs = known.logs;
        trace.revision += 1;
      }
      for (const traceId of [...logsById.keys()].slice(0, -MAX_LOGGED_TRACES)) logsById.delete(traceId);
    },

    /** @returns {Trace[]} newest start first */
    list: () => newestFirst(byId),
  };
}

function addSpan(trace, span) {
  const known = trace.spans.get(span.spanId);
  if (known === undefined) {
    if (trace.spans.size < MAX_SPANS_PER_TRACE) trace.spans.set(span.spanId, span);
    return;
  }
  trace.duplicates += 1;
  // Objects arrive in any order; the longer record wins, so that the order does not show.
  if ((span.end ?? 0n) > (known.end ?? 0n)) trace.spans.set(span.spanId, span);
}

function newestFirst(byId) {
  return [...byId.values()].sort((a, b) => {
    const [startA, startB] = [a.summary.start ?? 0n, b.summary.start ?? 0n];
    if (startA !== startB) return startA > startB ? -1 : 1;
    return a.traceId < b.traceId ? -1 : 1;
  });
}

/**
 * Earliest start and latest end of some spans.
 *
 * @param {Iterable<import('./parse-otlp.mjs').Span>} spans
 * @returns {{ start: bigint | undefined, end: bigint | undefined }} undefined when no span has a time
 */
export function timeRange(spans) {
  /** @type {bigint | undefined} */
  let start;
  /** @type {bigint | undefined} */
  let end;
  for (const span of spans) {
    for (const time of [span.start, span.end]) {
      // An absent time compares false, so it never displaces a known one.
      if (start === undefined || time < start) start = time;
      if (end === undefined || time > end) end = time;
    }
  }
  return { start, end };
}

/** @param {Map<string, import('./parse-otlp.mjs').Span>} spans */
function summarize(spans) {
  const all = [...spans.values()];
  const { start, end } = timeRange(all);
  const facts = readPageFacts(all);
  const root =
    facts.activity ?? all.find((span) => span.parentSpanId === '') ?? firstEntry(spans, facts.kind);
  const extent = start === undefined ? 0n : end - start;
  const services = [...new Set(all.map((span) => span.resource.serviceName))].sort();
  const pageUrl = findPage([root, ...all]);
  const names = new Set(all.map((span) => span.name));
  const said = [
    facts.session?.id,
    facts.user,
    facts.interaction?.target,
    ...facts.exceptions.map(describeException),
  ];
  const hasRoot = root === facts.activity || root.parentSpanId === '';
  // What a server did for a request stands for itself, whoever asked.
  const isFragment = !hasRoot && facts.kind !== 'request';
  return {
    ...facts,
    rootName: isFragment ? FRAGMENT_NAME : root.name,
    hasRoot,
    isFragment,
    partNames: isFragment ? listNames([root.name, ...names]) : '',
    services,
    start,
    extent,
    duration: facts.activity === undefined ? extent : durationOf(facts.activity),
    spanCount: all.length,
    errorCount: countFailures(all),
    pageUrl,
    searchText: [root.traceId, pageUrl, ...services, ...names, ...said]
      .join('\n')
      .slice(0, MAX_SEARCH_CHARS)
      .toLowerCase(),
  };
}

function listNames(names) {
  const all = [...new Set(names)];
  const told = all.slice(0, MAX_PART_NAMES).join(', ');
  return all.length > MAX_PART_NAMES ? `${told} and ${all.length - MAX_PART_NAMES} more` : told;
}

/** @param {import('./parse-otlp.mjs').Span} span */
function durationOf({ start, end }) {
  return start === undefined || end === undefined || end < start ? 0n : end - start;
}

// Of the spans whose parents are not here, the earliest, and a server's before others; where parents form circles, of all.
function firstEntry(spans, kind) {
  const all = [...spans.values()];
  const entries = all.filter(
    (span) => !spans.has(span.parentSpanId) && (kind !== 'request' || span.kind === 'server'),
  );
  const candidates = entries.length > 0 ? entries : all;
  let [first] = candidates;
  for (const span of candidates) {
    if (span.start !== undefined && (first.start === undefined || span.start < first.start)) first = span;
  }
  return first;
}

const describeException = ({ type, message }) => `${type}: ${message}`;

// A client span's url is where it went, not where the visitor was.
function findPage(spans) {
  for (const span of spans) {
    const keys = span.kind === 'client' ? PAGE_KEYS.slice(0, 3) : PAGE_KEYS;
    const url = findAttribute(span.attributes, ...keys) ?? findAttribute(span.resource.attributes, ...keys);
    if (url !== undefined) return url;
  }
  return '';
}
