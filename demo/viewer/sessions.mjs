/** The sessions that the traces tell of: a session is what one browser did in one visit. */
import { worstVitals } from './page-facts.mjs';

/** What says it began longer before its first trace had a clock that was wrong: sessions last 4 hours at most. */
const MAX_LEAD_NANOS = 12n * 3_600_000_000_000n;

/**
 * @typedef {object} Session
 * @property {string} id
 * @property {string} previousId empty when there is none
 * @property {string} nextId of the session that says that it came after this one, when it has been read
 * @property {bigint | undefined} start nanoseconds since the epoch
 * @property {bigint} duration to the latest end
 * @property {import('./traces.mjs').Trace[]} traces by start
 * @property {number} activityCount traces that are activities of the page
 * @property {number} errorCount
 * @property {import('./page-facts.mjs').Vital[]} vitals the worst of each
 * @property {string[]} services
 * @property {string[]} users who were known in it, in the order of time
 * @property {boolean} isNews all of its traces came by themselves
 */

/**
 * @param {import('./traces.mjs').Trace[]} traces newest first
 * @returns {Session[]} those that began last first
 */
export function gatherSessions(traces) {
  /** @type {Map<string, import('./traces.mjs').Trace[]>} */
  const byId = new Map();
  for (const trace of traces) {
    const id = trace.summary.session?.id;
    if (id === undefined) continue;
    const known = byId.get(id);
    if (known) known.push(trace);
    else byId.set(id, [trace]);
  }
  const sessions = [...byId].map(([id, newestFirst]) => summarize(id, newestFirst.reverse()));
  const known = new Map(sessions.map((session) => [session.id, session]));
  for (const { id, previousId } of sessions) {
    const previous = known.get(previousId);
    if (previous) previous.nextId = id;
  }
  return sessions.sort((a, b) => {
    const [startA, startB] = [a.start ?? 0n, b.start ?? 0n];
    if (startA !== startB) return startA > startB ? -1 : 1;
    return a.id < b.id ? -1 : 1;
  });
}

/**
 * How many traces there were for those that are here: one kept with probability 0.1 stands for ten. One that a tail
 * rule kept says nothing of those that it did not look at, and stands for itself.
 *
 * @param {import('./traces.mjs').Trace[]} traces
 */
export function estimateCount(traces) {
  let count = 0;
  for (const { summary } of traces) count += summary.keptFor ? 1 : 1 / summary.probability;
  return Math.round(count);
}

/** @param {string} id @param {import('./traces.mjs').Trace[]} traces @returns {Session} */
function summarize(id, traces) {
  let told;
  /** @type {bigint | undefined} */
  let first;
  /** @type {bigint | undefined} */
  let last;
  let errorCount = 0;
  let activityCount = 0;
  for (const { summary } of traces) {
    const { start, extent, session } = summary;
    if (start !== undefined) {
      if (first === undefined || start < first) first = start;
      if (last === undefined || start + extent > last) last = start + extent;
    }
    errorCount += summary.errorCount;
    activityCount += Number(summary.activity !== undefined);
    if (!told?.startedAt || !told.previousId) told = { ...session, ...withoutEmpty(told) };
  }
  const { startedAt } = told;
  const isLikely =
    startedAt !== undefined &&
    (first === undefined || (startedAt <= first && first - startedAt < MAX_LEAD_NANOS));
  const start = /** @type {bigint | undefined} */ (isLikely ? startedAt : first);
  return {
    id,
    previousId: told.previousId === id ? '' : told.previousId,
    nextId: '',
    start,
    duration: start === undefined || last === undefined ? 0n : last - start,
    traces,
    activityCount,
    errorCount,
    vitals: worstVitals(traces.flatMap(({ summary }) => summary.vitals)),
    services: [...new Set(traces.flatMap(({ summary }) => summary.services))].sort(),
    users: [...new Set(traces.map(({ summary }) => summary.user))].filter(Boolean),
    isNews: traces.every((trace) => trace.isNews),
  };
}

const withoutEmpty = (told = {}) => Object.fromEntries(Object.entries(told).filter(([, value]) => value));
