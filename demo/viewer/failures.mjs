/**
 * What failed in a trace, counted as a person would: a request that a server answers with 500, and the promise that
 * rejects because of it, are one failure, however many spans and events say so.
 */
import { ancestorIds, buildTree } from './span-tree.mjs';

/** @typedef {import('./parse-otlp.mjs').Span} Span */

/** The event by which OpenTelemetry says that something was thrown. */
const isException = ({ name }) => name === 'exception';

/** @param {Span} span */
const saysFailure = ({ status, events }) => status.code === 'error' || events.some(isException);

/** An error that was on no span has one of its own, without a duration, beside what it is the consequence of. */
const isReport = ({ span, children }) =>
  span.name.startsWith('error ') && span.start === span.end && children.length === 0;

/**
 * Counts from the leaves up. Each exception that a span tells of is the consequence of at most one failure below that
 * span, one that had begun by then; a mere error status is the consequence of any. What is left over is a failure.
 *
 * @param {Span[]} spans of one trace
 */
export function countFailures(spans) {
  if (!spans.some(saysFailure)) return 0;
  const { roots } = buildTree(spans);
  const [first] = roots;
  const orphans = roots.filter((node) => node.orphan && node !== first);
  // Parts whose parents are not read belong somewhere below the first root.
  first.children.push(...orphans);
  const apart = new Set(orphans);

  const nodes = roots.filter((node) => !apart.has(node));
  for (const node of nodes) nodes.push(...node.children);
  const counts = new Map();
  // Children come after their parents, so backwards each count is complete before it is asked for.
  for (const node of [...nodes].reverse()) {
    const below = node.children
      .filter((child) => !isReport(child))
      // The clock of a part without a parent may be another than that of the root.
      .map((child) => ({ from: apart.has(child) ? undefined : child.span.start, count: counts.get(child) }))
      .filter(({ count }) => count > 0);
    const reports = node.children.filter(isReport);
    counts.set(
      node,
      countAt(
        [node, ...reports].map(({ span }) => span),
        below,
      ),
    );
  }
  return roots.reduce((sum, node) => sum + (apart.has(node) ? 0 : counts.get(node)), 0);
}

/** @param {Span[]} spans one, and what reports more of it @param {{ from: bigint | undefined, count: number }[]} below */
function countAt(spans, below) {
  let count = 0;
  for (const one of below) count += one.count;
  const times = spans.flatMap(({ events }) => events.filter(isException).map(({ time }) => time));
  if (times.length === 0) return count || Number(spans.some(saysFailure));
  const causes = below.sort((a, b) => compare(b.from, a.from));
  for (const time of times.sort(compare)) {
    const cause = causes.at(-1);
    if (cause && (cause.from === undefined || time === undefined || cause.from <= time)) {
      cause.count -= 1;
      if (cause.count === 0) causes.pop();
    } else count += 1;
  }
  return count;
}

// What has no time may be before all that has one.
function compare(a, b) {
  if (a === b) return 0;
  if (a === undefined || b === undefined) return a === undefined ? -1 : 1;
  return a < b ? -1 : 1;
}

/**
 * Leaves out what tells again of the same: an exception is recorded where it is thrown, and once more where it ends up.
 *
 * @template {{ type: string, message: string, spanId: string }} T
 * @param {T[]} exceptions
 * @param {Span[]} spans
 * @returns {T[]} without those that a span below has told of already
 */
export function withoutEchoes(exceptions, spans) {
  if (exceptions.length < 2) return exceptions;
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const echoes = new Set();
  for (const { type, message, spanId } of exceptions) {
    const above = new Set(ancestorIds(byId, spanId));
    const echo = exceptions.find(
      (one) => !echoes.has(one) && above.has(one.spanId) && one.type === type && one.message === message,
    );
    if (echo) echoes.add(echo);
  }
  return exceptions.filter((one) => !echoes.has(one));
}
