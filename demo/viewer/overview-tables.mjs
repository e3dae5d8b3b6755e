/** Errors as groups, requests and routes; each row leads to the traces behind it. */
import { html } from '/vendor/preact.js';
import { changeQuery, overviewHref, toggleFilter } from './overview-query.mjs';
import { formatVital } from './page-facts.mjs';
import { formatDuration } from './timeline.mjs';
import { formatMillis, NUMBERS, plural } from './wording.mjs';

const count = (value) => NUMBERS.format(Math.round(value));
const duration = (millis) => formatDuration(BigInt(Math.round(millis * 1_000)) * 1_000n);

/**
 * @param {object} props
 * @param {string} props.id of the heading
 * @param {string} props.title
 * @param {string} [props.note]
 * @param {string} props.none what is said where there is no row
 * @param {[heading: string, className: string][]} props.columns after the first
 * @param {string} props.first heading of the first column
 * @param {{ key: string, head: unknown, cells: unknown[] }[]} props.rows
 */
function Table({ id, title, note, none, first, columns, rows }) {
  return html`<section class="panel" aria-labelledby=${id}>
    <header>
      <h2 id=${id}>${title}</h2>
      ${note && html`<span class="quiet note">${note}</span>`}
    </header>
    ${
      rows.length === 0
        ? html`<p class="quiet none">${none}</p>`
        : html`<div class="table-box" role="region" aria-label=${`Table: ${title}`} tabindex="0">
            <table>
              <thead>
                <tr>
                  <th scope="col">${first}</th>
                  ${columns.map(([words, name]) => html`<th scope="col" key=${words} class=${name}>${words}</th>`)}
                </tr>
              </thead>
              <tbody>
                ${rows.map(
                  ({ key, head, cells }) => html`<tr key=${key}>
                    <th scope="row">${head}</th>
                    ${cells.map((cell, index) => html`<td key=${columns[index][0]} class=${columns[index][1]}>${cell}</td>`)}
                  </tr>`,
                )}
              </tbody>
            </table>
          </div>`
    }
  </section>`;
}

/** @param {{ body: any, query: string }} props */
export function Errors({ body, query }) {
  const rows = body.errors.map((row) => ({
    key: `${row.type}\n${row.message}\n${row.frame}`,
    head: html`<a href=${overviewHref(changeQuery(query, { figure: 'error', name: row.type, message: row.message, frame: row.frame }))}
        >${row.type}: ${row.message || 'no message'}</a
      >
      ${row.frame && html`<code class="quiet frame">${row.frame}</code>`}`,
    cells: [
      count(row.count),
      count(row.sessions),
      count(row.users),
      row.since
        ? html`<a href=${overviewHref(toggleFilter(query, 'release', row.since))}>${row.since}</a>`
        : '–',
      formatMillis(row.first_at),
      formatMillis(row.last_at),
    ],
  }));
  return html`<${Table}
    id="errors"
    title="Errors"
    note="by type, message without its numbers, and first frame"
    none="None in this time."
    first="Error"
    columns=${[
      ['Count', 'number'],
      ['Sessions', 'number'],
      ['Users', 'number'],
      ['Since release', ''],
      ['First seen', 'time'],
      ['Last seen', 'time'],
    ]}
    rows=${rows}
  />`;
}

/** @param {{ body: any, query: string, order: 'slow' | 'failing' }} props */
export function Requests({ body, query, order }) {
  const isFailing = order === 'failing';
  const rows = body.requests[order].slice(0, 15).map((row) => ({
    key: `${row.method} ${row.target}`,
    head: html`<a
      href=${overviewHref(changeQuery(query, { figure: 'request', name: row.method, target: row.target, only: isFailing ? 'failed' : '' }))}
      ><code>${row.method} ${row.target}</code></a
    >`,
    cells: isFailing
      ? [count(row.failed), `${Math.round((row.failed / row.count) * 100)} %`, count(row.count)]
      : [duration(row.p75), duration(row.p95), count(row.count)],
  }));
  return html`<${Table}
    id=${`requests-${order}`}
    title=${isFailing ? 'Requests that fail' : 'Slowest requests'}
    none=${isFailing ? 'None failed in this time.' : 'None in this time.'}
    first="Request"
    columns=${(isFailing ? ['Failed', 'Share', 'Of'] : ['p75', 'p95', 'Count']).map((words) => [words, 'number'])}
    rows=${rows}
  />`;
}

const KIND_WORDS = { load: 'load', route: 'change to', interaction: 'click on', restore: 'return to' };

/** @param {{ body: any, query: string }} props */
export function Routes({ body, query }) {
  const rows = body.routes.slice(0, 15).map((row) => ({
    key: `${row.kind} ${row.route}`,
    head: html`<a href=${overviewHref(changeQuery(query, { figure: 'activity', name: row.kind, target: row.route }))}
      >${KIND_WORDS[row.kind] ?? row.kind} ${row.route || 'what has no route'}</a
    >`,
    cells: [duration(row.p50), duration(row.p75), duration(row.p95), count(row.count)],
  }));
  return html`<${Table}
    id="routes"
    title="Slowest routes"
    note="until the page was quiet again"
    none="None in this time."
    first="Route"
    columns=${['p50', 'p75', 'p95', 'Count'].map((words) => [words, 'number'])}
    rows=${rows}
  />`;
}

/** The traces behind a figure. @param {{ asked: import('./overview-data.mjs').Asked, query: string }} props */
export function TracesBehind({ asked, query }) {
  const { body, error, isBusy } = asked;
  const value = valueColumn(query);
  const rows = (body?.traces ?? []).map((row) => ({
    key: row.id,
    head: html`<a href=${overviewHref(query, row.id)}>${row.name}</a>`,
    cells: [
      ...value.map(([, , say]) => say(row.value)),
      formatMillis(row.start),
      duration(row.duration),
      plural(row.spans, 'span'),
      row.browser ?? '–',
      row.release ?? '–',
    ],
  }));
  const found = body?.found ?? 0;
  const fewer =
    found > rows.length
      ? `the ${rows.length} with most of it, of ${NUMBERS.format(found)}`
      : plural(found, 'trace');
  return html`<div class="behind">
    <${Table}
      id="behind"
      title=${`Traces: ${figureWords(query)}`}
      note=${error || (isBusy && !body ? 'Looking…' : fewer)}
      none=${isBusy ? '' : 'None in this time, with these filters.'}
      first="Trace"
      columns=${[...value, ['Began', 'time'], ['Took', 'number'], ['Spans', 'number'], ['Browser', ''], ['Release', '']]}
      rows=${rows}
    />
    <a class="close" href=${overviewHref(changeQuery(query, {}))}>Close the traces</a>
  </div>`;
}

/** What a trace is behind the figure with: a column, or none. @returns {[string, string, (value: number) => string][]} */
function valueColumn(query) {
  const fields = new URLSearchParams(query);
  const name = fields.get('name') ?? '';
  if (fields.get('figure') === 'vital') return [[name, 'number', (value) => formatVital({ name, value })]];
  if (fields.get('figure') === 'error') return [['Times', 'number', count]];
  return [[fields.get('figure') === 'request' ? 'Request took' : 'Until quiet', 'number', duration]];
}

function figureWords(query) {
  const fields = Object.fromEntries(new URLSearchParams(query));
  if (fields.figure === 'vital') return `${fields.name} ${vitalRange(fields)}`;
  if (fields.figure === 'error') return `${fields.name}: ${fields.message ?? ''}`;
  if (fields.figure === 'request')
    return `${fields.name} ${fields.target}${fields.only ? ' that failed' : ''}`;
  if (fields.figure === 'activity') return `${KIND_WORDS[fields.name] ?? fields.name} ${fields.target ?? ''}`;
  return 'all';
}

/** @param {Record<string, string>} fields */
function vitalRange({ name, low, high }) {
  const say = (value) =>
    name === 'CLS' ? String(Number(Number(value).toPrecision(3))) : duration(Number(value));
  if (!low) return `up to ${say(high)}`;
  return high ? `over ${say(low)}, up to ${say(high)}` : `over ${say(low)}`;
}
