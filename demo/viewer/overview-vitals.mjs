/** Web vitals: of each p75, shares, and a histogram; and beside one another by route, release, browser and so on. */
import { html, useMemo } from '/vendor/preact.js';
import { changeQuery, overviewHref, SIDES, toggleFilter } from './overview-query.mjs';
import { formatVital, ratingWords } from './page-facts.mjs';
import { bars, Plot, quietAxis } from './plot.mjs';
import { SIGNS } from './vital-chips.mjs';
import { NUMBERS, plural } from './wording.mjs';

const ORDER = ['LCP', 'INP', 'CLS', 'FCP', 'TTFB'];
const WORDS = {
  LCP: 'Largest contentful paint',
  INP: 'Interaction to next paint',
  CLS: 'Cumulative layout shift',
  FCP: 'First contentful paint',
  TTFB: 'Time to first byte',
};
/** By rating: the row's share, and its colour in style.css. */
const RATINGS = {
  good: ['good', 'hue-0'],
  'needs-improvement': ['middling', 'warn'],
  poor: ['poor', 'error'],
};

/** @param {number} value @param {{ good_upto: number, poor_over: number }} bounds */
const ratingOf = (value, { good_upto, poor_over }) =>
  value <= good_upto ? 'good' : value <= poor_over ? 'needs-improvement' : 'poor';

/** @param {{ body: any, query: string }} props */
export function Vitals({ body, query }) {
  const byName = new Map(body.vitals.map((vital) => [vital.name, vital]));
  return html`<section aria-labelledby="vitals">
    <h2 id="vitals" class="section-title">Web vitals <span class="quiet note">at the 75th percentile</span></h2>
    <div class="cards">
      ${ORDER.map(
        (name) => html`<${VitalCard} key=${name} name=${name} vital=${byName.get(name)} query=${query} />`,
      )}
    </div>
  </section>`;
}

function VitalCard({ name, vital, query }) {
  if (!vital) {
    return html`<article class="card">
      <h3>${name}</h3>
      <p class="quiet">${WORDS[name]}: none in this time.</p>
    </article>`;
  }
  const rating = ratingOf(vital.p75, vital);
  return html`<article class="card">
    <h3><abbr title=${WORDS[name]}>${name}</abbr></h3>
    <p class=${`figure ${rating}`}>
      ${formatVital({ name, value: vital.p75 })} <span class=${`chip ${rating}`}>${ratingWords(rating)}</span>
    </p>
    <${Histogram} vital=${vital} />
    <ul class="shares">
      ${Object.entries(RATINGS).map(
        ([key, [share]]) => html`<li key=${key}>
          <a href=${overviewHref(changeQuery(query, { figure: 'vital', name, ...limits(key, vital) }))}>
            <i class=${`swatch ${key}`} aria-hidden="true"></i>${percent(vital[share], vital.count)} ${ratingWords(key)}
          </a>
        </li>`,
      )}
    </ul>
    <p class="quiet of">of ${plural(Math.round(vital.count), 'report')}</p>
  </article>`;
}

/** The values of a rating, as the host takes them: from `low`, below `high`. */
function limits(rating, { good_upto, poor_over }) {
  // Just over a bound, which itself still belongs to what is better.
  const [over, above] = [good_upto, poor_over].map((bound) => bound + bound * 1e-9);
  return { good: { high: over }, 'needs-improvement': { low: over, high: above }, poor: { low: above } }[
    rating
  ];
}

function Histogram({ vital }) {
  const { name, bins, bin_width: size } = vital;
  const data = useMemo(() => {
    const edges = bins.map((_, bin) => bin * size);
    const of = (rating) =>
      bins.map((count, bin) => (ratingOf((bin + 0.5) * size, vital) === rating ? count : null));
    return [edges, ...Object.keys(RATINGS).map(of)];
  }, [vital]);
  const label = `Histogram of ${name}: ${Object.entries(RATINGS)
    .map(([key, [share]]) => `${percent(vital[share], vital.count)} ${ratingWords(key)}`)
    .join(', ')}`;
  const options = (colours) => ({
    legend: { show: false },
    cursor: { show: false },
    padding: [4, 12, 0, 12],
    scales: {
      x: { time: false, range: [0, 31 * size] },
      y: { range: (_, __, max) => [0, Math.max(1, max)] },
    },
    axes: [
      quietAxis(colours, {
        grid: { show: false },
        size: 24,
        space: 60,
        values: (_, marks) => marks.map((value) => (value ? formatVital({ name, value }) : '0')),
      }),
      { show: false },
    ],
    series: [
      {},
      ...Object.values(RATINGS).map(([, hue]) => ({
        ...{ stroke: colours[hue], fill: colours[hue], width: 0 },
        ...{ paths: bars(0.9), points: { show: false } },
      })),
    ],
  });
  return html`<${Plot} label=${label} height=${84} options=${options} data=${data} />`;
}

/** @param {{ body: any, query: string, onQuery: (query: string) => void }} props */
export function VitalsBySide({ body, query, onQuery }) {
  const rows = useMemo(() => bySide(body.sides), [body]);
  const bounds = new Map(body.vitals.map((vital) => [vital.name, vital]));
  return html`<section class="panel wide" aria-labelledby="by-side">
    <header>
      <h2 id="by-side">Web vitals by</h2>
      <select
        aria-label="Web vitals by"
        value=${body.by}
        onChange=${(event) => onQuery(changeQuery(query, { by: event.currentTarget.value }))}
      >
        ${Object.entries(SIDES).map(([key, words]) => html`<option key=${key} value=${key}>${words}</option>`)}
      </select>
      <span class="quiet note">the 50 with most reports, at the 75th percentile</span>
    </header>
    <div class="table-box" role="region" aria-label="Table: web vitals" tabindex="0">
      <table>
        <thead>
          <tr>
            <th scope="col">${SIDES[body.by]}</th>
            ${ORDER.map((name) => html`<th scope="col" key=${name} class="number">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ([side, vitals]) => html`<tr key=${side}>
              <th scope="row">
                ${side ? html`<a href=${overviewHref(toggleFilter(query, body.by, side))}>${side}</a>` : html`<span class="quiet">not told</span>`}
              </th>
              ${ORDER.map((name) => html`<td key=${name} class="number">${cell(name, vitals.get(name), bounds.get(name))}</td>`)}
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

function cell(name, row, bounds) {
  if (!row || !bounds) return html`<span class="quiet">–</span>`;
  const rating = ratingOf(row.p75, bounds);
  return html`<span class=${`chip ${rating}`}>
      <span aria-hidden="true">${SIGNS[rating]}</span> ${formatVital({ name, value: row.p75 })}<span class="visually-hidden"
        >, ${ratingWords(rating)}</span
      >
    </span>
    <span class="quiet share">${percent(row.good, row.count)} good of ${NUMBERS.format(Math.round(row.count))}</span>`;
}

function bySide(rows) {
  const sides = new Map();
  for (const row of rows) {
    const vitals = sides.get(row.side) ?? new Map();
    vitals.set(row.name, row);
    sides.set(row.side, vitals);
  }
  return [...sides];
}

/** @param {number} part @param {number} whole */
function percent(part, whole) {
  const share = whole > 0 ? (part / whole) * 100 : 0;
  return `${share > 0 && share < 1 ? '<1' : share > 99 && share < 100 ? '>99' : Math.round(share)} %`;
}
