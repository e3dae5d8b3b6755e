/** Sessions, traces and errors over time; dragging over the plot chooses a range. */
import { html, useMemo } from '/vendor/preact.js';
import { changeQuery } from './overview-query.mjs';
import { bars, Plot, quietAxis } from './plot.mjs';
import { formatMillis, NUMBERS } from './wording.mjs';

/** @param {{ body: any, query: string, onQuery: (query: string) => void }} props */
export function Visits({ body, query, onQuery }) {
  const { from, until, step, visits } = body;
  const data = useMemo(() => columns(body), [body]);
  const most = visits.reduce((best, row) => (row.traces > (best?.traces ?? 0) ? row : best), undefined);
  const label = most
    ? `Visits over time: most at ${formatMillis(most.moment)}, ${count(most.sessions)} sessions, ${count(most.traces)} traces, ${count(most.errors)} with an error`
    : 'Visits over time: none';
  const options = (colours) => ({
    legend: { live: true },
    cursor: { y: false, drag: { x: true, y: false, setScale: false } },
    scales: {
      x: { range: [from / 1_000, until / 1_000] },
      y: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] },
    },
    axes: [
      quietAxis(colours, { grid: { show: false }, space: 70, values: (_, marks) => marks.map(markWords) }),
      quietAxis(colours, { size: 48, space: 30 }),
    ],
    series: [
      { label: 'Time', value: (_, seconds) => (seconds === null ? '–' : formatMillis(seconds * 1_000)) },
      {
        label: 'Traces',
        stroke: colours['hue-1'],
        fill: `${colours['hue-1']}55`,
        paths: bars(0.9),
        points: { show: false },
      },
      {
        label: 'With an error',
        stroke: colours.error,
        fill: colours.error,
        paths: bars(0.9),
        points: { show: false },
      },
      { label: 'Sessions', stroke: colours['hue-0'], width: 2, points: { show: true, size: 4 } },
    ],
    hooks: { setSelect: [(plot) => choose(plot)] },
  });
  // Midnight, and what is days apart, is told by its date.
  const markWords = (seconds, _, marks) => {
    const text = new Date(
      seconds * 1_000 - new Date(seconds * 1_000).getTimezoneOffset() * 60_000,
    ).toISOString();
    const isDay = text.slice(11, 16) === '00:00' || (marks[1] ?? 0) - (marks[0] ?? 0) >= 86_400;
    return isDay ? text.slice(5, 10) : text.slice(11, 16);
  };
  const choose = (plot) => {
    const { left, width } = plot.select;
    if (width < 4) return;
    const [low, high] = [left, left + width].map((at) => Math.round(plot.posToVal(at, 'x') * 1_000));
    onQuery(changeQuery(query, { last: '', from: low, until: Math.max(low + 1_000, high) }));
  };
  return html`<section class="panel wide" aria-labelledby="visits">
    <header>
      <h2 id="visits">Visits</h2>
      <span class="quiet note">in steps of ${stepWords(step)}; drag over it to look closer</span>
    </header>
    <${Plot} label=${label} height=${190} options=${options} data=${data} />
  </section>`;
}

/** Steps without visits are there too, and are none. */
function columns({ from, until, step, visits }) {
  const byStep = new Map(visits.map((row) => [Math.round((row.moment - from) / step), row]));
  const length = Math.max(1, Math.ceil((until - from) / step));
  const at = Array.from({ length }, (_, index) => byStep.get(index));
  return [
    at.map((_, index) => (from + index * step) / 1_000),
    ...['traces', 'errors', 'sessions'].map((key) => at.map((row) => Math.round(row?.[key] ?? 0))),
  ];
}

const count = (value) => NUMBERS.format(Math.round(value));

/** @type {[millis: number, word: string][]} */
const UNITS = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1_000, 'second'],
];

function stepWords(millis) {
  const [size, word] = UNITS.find(([unit]) => millis >= unit) ?? UNITS[3];
  const many = Math.round(millis / size);
  return many === 1 ? `one ${word}` : `${many} ${word}s`;
}
