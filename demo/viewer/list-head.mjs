import { html } from '/vendor/preact.js';
import { describeReading } from './older.mjs';
import { plural } from './wording.mjs';

/**
 * How many there are, whether more are being read, and how many wait to be shown.
 *
 * @param {object} props
 * @param {import('./feed.mjs').Feed | undefined} props.feed
 * @param {number} props.newCount
 * @param {string} props.noun
 * @param {() => void} props.onReveal
 * @param {unknown} props.children
 */
export function ListHead({ feed, newCount, noun, onReveal, children }) {
  const reveal = () => {
    onReveal();
    document.querySelector('.list-scroll')?.scrollTo({ top: 0 });
  };
  return html`<div class="list-head">
    <span role="status">${children}</span>
    <span>${describeReading(feed)}</span>
    ${newCount > 0 && html`<button class="pill" onClick=${reveal}>↑ ${plural(newCount, `new ${noun}`)}</button>`}
  </div>`;
}
