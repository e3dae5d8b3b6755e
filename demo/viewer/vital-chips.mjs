/** Web vitals as small labels with their rating: by colour, by sign, and in words. */
import { html } from '/vendor/preact.js';
import { formatVital, ratingWords } from './page-facts.mjs';

/** By rating, for who tells no colours apart. */
export const SIGNS = { good: '✓', 'needs-improvement': '~', poor: '!' };

/** Of the three that count for a page's rank. */
export const CORE_VITALS = ['LCP', 'INP', 'CLS'];

/** @param {{ vitals: import('./page-facts.mjs').Vital[] }} props */
export function VitalChips({ vitals }) {
  if (vitals.length === 0) return null;
  return html`<span class="chips">
    ${vitals.map((vital) => html`<${VitalChip} key=${vital.name} vital=${vital} />`)}
  </span>`;
}

export function VitalChip({ vital }) {
  const { name, rating } = vital;
  return html`<span class=${`chip ${rating}`} title=${`${name}: ${ratingWords(rating)}`}>
    <span aria-hidden="true">${SIGNS[rating] ?? ''}</span> ${name} ${formatVital(vital)}<span
      class="visually-hidden"
      >, ${ratingWords(rating)}</span
    >
  </span>`;
}
