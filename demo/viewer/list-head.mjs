import { html } from '/vendor/preact.js';
import { plural } from './wording.mjs';

/**
 * How many there are, and how many wait to be shown.
 *
 * @param {{ newCount: number, noun: string, onReveal: () => void, children: unknown }} props
 */
export function ListHead({ newCount, noun, onReveal, children }) {
  const reveal = () => {
    onReveal();
    document.querySelector('.list-scroll')?.scrollTo({ top: 0 });
  };
  return html`<div class="list-head">
    <span role="status">${children}</span>
    ${newCount > 0 && html`<button class="pill" onClick=${reveal}>↑ ${plural(newCount, `new ${noun}`)}</button>`}
  </div>`;
}
