/** Search and filters above the list. */
import { html } from '/vendor/preact.js';
import { KINDS } from './page-facts.mjs';

/**
 * @param {object} props
 * @param {import('./filter.mjs').Filter} props.filter
 * @param {string[]} props.services to choose from
 * @param {(filter: import('./filter.mjs').Filter) => void} props.onChange
 */
export function FilterBar({ filter, services, onChange }) {
  const set = (change) => onChange({ ...filter, ...change });
  return html`<form class="filters" role="search" onSubmit=${(event) => event.preventDefault()}>
    <label class="search">
      <span class="visually-hidden">Search traces</span>
      <input
        id="search"
        type="search"
        placeholder="Search names, pages, errors, ids"
        value=${filter.text}
        onInput=${(event) => set({ text: event.currentTarget.value })}
      />
      <kbd aria-hidden="true">/</kbd>
    </label>
    <div class="filter-line">
      <label class="toggle">
        <input
          type="checkbox"
          checked=${filter.errorsOnly}
          onChange=${(event) => set({ errorsOnly: event.currentTarget.checked })}
        />
        Errors only
      </label>
      <label class="at-least">
        <span>At least</span>
        <input
          type="number"
          min="0"
          step="any"
          inputmode="decimal"
          placeholder="0"
          aria-label="Minimum duration in milliseconds"
          value=${filter.minMillis}
          onInput=${(event) => set({ minMillis: event.currentTarget.value })}
        />
        <span>ms</span>
      </label>
      <select
        aria-label="Kind"
        value=${filter.kind}
        onChange=${(event) => set({ kind: event.currentTarget.value })}
      >
        <option value="">All kinds</option>
        ${Object.entries(KINDS).map(([kind, words]) => html`<option key=${kind} value=${kind}>${words}</option>`)}
      </select>
      <select
        aria-label="Service"
        value=${filter.service}
        onChange=${(event) => set({ service: event.currentTarget.value })}
      >
        <option value="">All services</option>
        ${services.map((service) => html`<option key=${service} value=${service}>${service}</option>`)}
      </select>
    </div>
  </form>`;
}
