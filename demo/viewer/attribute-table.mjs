/** Keys and values of a span, event, link, scope or resource. */
import { html, useState } from '/vendor/preact.js';

/** Rows shown before "Show all". */
const ROWS_AT_FIRST = 60;
/** Characters of a value shown before "Show all"; a stack trace fits. */
const CHARS_AT_FIRST = 3000;

/** @param {{ attributes: import('./any-value.mjs').Attribute[], empty?: string }} props */
export function AttributeTable({ attributes, empty }) {
  const [all, setAll] = useState(false);
  if (attributes.length === 0) return empty ? html`<p class="quiet">${empty}</p>` : null;
  const shown = all ? attributes : attributes.slice(0, ROWS_AT_FIRST);
  return html`<table class="attributes">
      <tbody>
        ${shown.map(
          ({ key, type, text }) =>
            html`<tr>
              <th scope="row">${breakable(key)}</th>
              <td class=${`value ${type}`}><${LongText} text=${text} /></td>
            </tr>`,
        )}
      </tbody>
    </table>
    ${
      shown.length < attributes.length &&
      html`<button class="more" onClick=${() => setAll(true)}>Show all ${attributes.length}</button>`
    }`;
}

/** Text that is cut when it is very long, until asked for. */
export function LongText({ text, limit = CHARS_AT_FIRST }) {
  const [all, setAll] = useState(false);
  if (all || text.length <= limit)
    return html`<span class="long-text">${text === '' ? '(empty)' : text}</span>`;
  return html`<span class="long-text">${text.slice(0, limit)}…</span>
    <button class="more" onClick=${() => setAll(true)}>
      Show all ${text.length.toLocaleString('en')} characters
    </button>`;
}

// Long keys may break after a dot or an underscore.
function breakable(key) {
  return key.split(/(?<=[._])/).map((part) => html`${part}<wbr />`);
}
