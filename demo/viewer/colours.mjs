/** What gives a bar its colour: the service, where several meet in a trace; in one service, who made the span. */

/** Hues in style.css; the seventh source shares the first's. */
const HUE_COUNT = 6;

/**
 * @typedef {object} Colours
 * @property {(span: import('./parse-otlp.mjs').Span) => number} hueOf
 * @property {[name: string, hue: number][]} legend at most one entry per hue
 * @property {boolean} byService true where several services meet
 *
 * @param {Iterable<import('./parse-otlp.mjs').Span>} spans of one trace
 * @returns {Colours}
 */
export function assignColours(spans) {
  const all = [...spans];
  const byService = new Set(all.map(serviceOf)).size > 1;
  const nameOf = byService ? serviceOf : scopeOf;
  const names = [...new Set(all.map(nameOf))];
  // Whichever part came first, and from one trace to the next, a service keeps its colour.
  if (byService) names.sort();
  const hues = new Map(names.map((name, index) => [name, index % HUE_COUNT]));
  return {
    hueOf: (span) => hues.get(nameOf(span)) ?? 0,
    legend: names.slice(0, HUE_COUNT).map((name, hue) => [name, hue]),
    byService,
  };
}

const serviceOf = ({ resource }) => resource.serviceName;

const scopeOf = ({ scope }) => scope.name.replace('@opentelemetry/instrumentation-', '') || '(no scope)';
