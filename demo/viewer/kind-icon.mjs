/** Small drawings: for each kind of trace, and for the kinds of spans that cross between services. */
import { html } from '/vendor/preact.js';
import { KINDS } from './page-facts.mjs';

/** Drawn in a 16 by 16 field. */
const DRAWINGS = {
  // a page with a corner
  load: 'M4 2h5.5L12 4.5V14H4zM9 2v3h3',
  // from one place to the next
  route: 'M2.5 8h10M8.5 4l4 4-4 4',
  // a pointer
  interaction: 'M4 2.5v10l2.8-2.6 1.7 3.8 1.9-.9-1.7-3.7 3.8-.3z',
  // back again
  restore: 'M3 4v4h4M3.4 8a5 5 0 1 1 1.4 3.6',
  // in to where it is answered
  request: 'M13 3v10M2.5 8H10M7 5l3 3-3 3',
  // a span below a span
  other: 'M2 4.5h9M5 8h9M5 11.5h5',
};

const OUT = 'M3 3v10M6 8h7.5M10.5 5l3 3-3 3';
const SPAN_DRAWINGS = {
  client: OUT,
  producer: OUT,
  server: DRAWINGS.request,
  consumer: DRAWINGS.request,
};

/** The name beside it says the same in words. @param {{ kind: import('./page-facts.mjs').Kind }} props */
export function KindIcon({ kind }) {
  return html`<svg class=${`kind kind-${kind}`} viewBox="0 0 16 16" aria-hidden="true">
    <title>${KINDS[kind]}</title>
    <path d=${DRAWINGS[kind]} />
  </svg>`;
}

/** Where a span crosses from one service to another; nothing within one. @param {{ kind: string }} props */
export function SpanKindIcon({ kind }) {
  const drawing = SPAN_DRAWINGS[kind];
  if (drawing === undefined) return null;
  return html`<svg class="kind" viewBox="0 0 16 16" role="img" aria-label=${kind}>
    <title>${kind}</title>
    <path d=${drawing} />
  </svg>`;
}
