/** Range of time and filters of the overview. All of it goes into the address. */
import { html, useState } from '/vendor/preact.js';
import {
  changeQuery,
  filtersOf,
  overviewHref,
  RANGES,
  rangeOf,
  SIDES,
  toggleFilter,
} from './overview-query.mjs';

/** Of a range of one's own: what `datetime-local` takes, in local time. */
const toLocal = (millis) => {
  const date = new Date(millis);
  return new Date(millis - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};

/** @param {{ query: string, values: { key: string, value: string }[], onQuery: (query: string) => void }} props */
export function Controls({ query, values, onQuery }) {
  const { last, from, until } = rangeOf(query, Date.now());
  const setRange = (range) => {
    const own = range === '' ? { last: '', from, until } : { last: range, from: '', until: '' };
    onQuery(changeQuery(query, own));
  };
  return html`<div class="controls">
    <label class="range">
      <span class="visually-hidden">Range of time</span>
      <select value=${last} onChange=${(event) => setRange(event.currentTarget.value)}>
        ${Object.entries(RANGES).map(([key, [, words]]) => html`<option key=${key} value=${key}>${words}</option>`)}
        <option value="">From, until…</option>
      </select>
    </label>
    ${last === '' && html`<${OwnRange} key=${`${from} ${until}`} from=${from} until=${until} query=${query} onQuery=${onQuery} />`}
    <${FilterForm} values=${values} query=${query} onQuery=${onQuery} />
    <ul class="filter-chips" aria-label="Filters">
      ${filtersOf(query).map((filter) => {
        const at = filter.indexOf('=');
        const href = overviewHref(toggleFilter(query, filter.slice(0, at), filter.slice(at + 1)));
        return html`<li key=${filter}>
          <a class="filter-chip" href=${href}>${filter.slice(0, at)} = ${filter.slice(at + 1)}<span class="visually-hidden">, remove</span> <span aria-hidden="true">×</span></a>
        </li>`;
      })}
    </ul>
  </div>`;
}

function OwnRange({ from, until, query, onQuery }) {
  const set = (change) => {
    const next = { from, until, ...change };
    if (next.from > 0 && next.from < next.until) onQuery(changeQuery(query, { last: '', ...next }));
  };
  const input = (key, words, value) => html`<input
    type="datetime-local"
    aria-label=${words}
    value=${toLocal(value)}
    onChange=${(event) => set({ [key]: new Date(event.currentTarget.value).getTime() })}
  />`;
  return html`<span class="own-range">${input('from', 'From', from)}<span>to</span>${input('until', 'Until', until)}</span>`;
}

/** Any attribute may be typed; what is often there is offered. */
function FilterForm({ values, query, onQuery }) {
  const [key, setKey] = useState('');
  const [value, setValue] = useState('');
  const offered = values.filter((row) => row.key === key);
  const submit = (event) => {
    event.preventDefault();
    const name = key.trim();
    if (!name || name.includes('=') || !value) return;
    if (!filtersOf(query).includes(`${name}=${value}`)) onQuery(toggleFilter(query, name, value));
    setKey('');
    setValue('');
  };
  return html`<form class="add-filter" onSubmit=${submit}>
    <input
      aria-label="Filter by"
      placeholder="browser, any.attribute"
      list="filter-keys"
      maxlength="200"
      value=${key}
      onInput=${(event) => setKey(event.currentTarget.value)}
    />
    <datalist id="filter-keys">
      ${Object.keys(SIDES).map((name) => html`<option key=${name} value=${name}></option>`)}
    </datalist>
    <span aria-hidden="true">=</span>
    <input
      aria-label="Value"
      placeholder="value"
      list="filter-values"
      maxlength="1000"
      value=${value}
      onInput=${(event) => setValue(event.currentTarget.value)}
    />
    <datalist id="filter-values">
      ${offered.map((row) => html`<option key=${row.value} value=${row.value}></option>`)}
    </datalist>
    <button>Add filter</button>
  </form>`;
}
