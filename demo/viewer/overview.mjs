/** The overview: is the site fast, what breaks, for whom, since which release. */
import { html, useMemo } from '/vendor/preact.js';
import { Controls } from './overview-controls.mjs';
import { useAnswer } from './overview-data.mjs';
import { changeQuery, overviewHref } from './overview-query.mjs';
import { Errors, Requests, Routes, TracesBehind } from './overview-tables.mjs';
import { Visits } from './overview-visits.mjs';
import { Vitals, VitalsBySide } from './overview-vitals.mjs';
import { formatMillis, NUMBERS, plural } from './wording.mjs';

/** The newest trace is shown in a day that ends with it. */
const DAY_MILLIS = 86_400_000;
const NO_VALUES = [];

/**
 * @param {object} props
 * @param {string} props.query as in the address
 * @param {number} props.revision grows as objects come
 * @param {(query: string) => void} props.onQuery
 */
export function Overview({ query, revision, onQuery }) {
  // The open figure changes nothing of the others.
  const own = useMemo(() => changeQuery(query, {}), [query]);
  const figures = useAnswer('', own, revision);
  const hasFigure = new URLSearchParams(query).has('figure');
  const behind = useAnswer('/traces', hasFigure ? query : undefined, revision);
  const { body, error, isBusy } = figures;
  if (body?.missing) return html`<${Missing} name=${body.missing} />`;
  return html`<div class="overview" tabindex="0" role="region" aria-label="Overview">
    <${Controls} query=${query} values=${body?.values ?? NO_VALUES} onQuery=${onQuery} />
    <p class="told" role="status">${error ? html`<span class="badge error">${error}</span>` : tellCounts(body, isBusy)}</p>
    ${hasFigure && html`<${TracesBehind} asked=${behind} query=${query} />`}
    ${body && body.totals.seen === 0 && !isBusy && html`<${Nothing} body=${body} query=${own} />`}
    ${
      body &&
      body.totals.seen > 0 &&
      html`<div class="panels">
        <${Visits} body=${body} query=${own} onQuery=${onQuery} />
        <${Vitals} body=${body} query=${own} />
        <${VitalsBySide} body=${body} query=${own} onQuery=${onQuery} />
        <${Errors} body=${body} query=${own} />
        <${Requests} body=${body} query=${own} order="slow" />
        <${Requests} body=${body} query=${own} order="failing" />
        <${Routes} body=${body} query=${own} />
      </div>`
    }
  </div>`;
}

/** How much the figures are of, and what they leave out. */
function tellCounts(body, isBusy) {
  if (!body) return isBusy ? 'Reading the bucket…' : '';
  const { totals, reading } = body;
  const words = [
    `${plural(totals.seen, 'trace')} of ${plural(totals.sessions, 'session')}${totals.users ? `, ${plural(totals.users, 'user')}` : ''}`,
  ];
  if (totals.sampled > 0)
    words.push(
      `sampled: ${totals.sampled === totals.seen ? 'they' : `${NUMBERS.format(totals.sampled)} of them`} are weighted, and all stand for about ${NUMBERS.format(Math.round(totals.traces))}`,
    );
  if (reading.left > 0) words.push(`reading, ${plural(reading.left, 'object')} left`);
  if (reading.isFull)
    words.push(`the newest ${NUMBERS.format(reading.spans)} spans were read, and no older ones`);
  if (body.since > body.from + 60_000)
    words.push(`of what was stored since ${formatMillis(body.since)}; --last looks further`);
  if (reading.failed > 0) words.push(`${plural(reading.failed, 'object')} could not be read`);
  return words.join(' · ');
}

function Nothing({ body, query }) {
  const { newest_at: newest } = body.totals;
  return html`<div class="empty">
    <h2>No traces in this time${query.includes('where=') ? ', with these filters' : ''}</h2>
    ${
      newest &&
      html`<p>
        The newest of all began at ${formatMillis(newest)}:
        <a href=${overviewHref(changeQuery(query, { last: '', from: Math.round(newest) - DAY_MILLIS, until: Math.round(newest) + 60_000 }))}>show its day</a>.
      </p>`
    }
  </div>`;
}

function Missing({ name }) {
  return html`<div class="empty wide">
    <h2>The overview needs DuckDB</h2>
    <p>It answers the page's questions in the process that reads the bucket, and is not installed by itself:</p>
    <p><code>npm install ${name}</code></p>
    <p>Then load this page again. Traces and sessions need nothing.</p>
  </div>`;
}
