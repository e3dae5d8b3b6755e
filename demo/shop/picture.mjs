/** A drawing of each product: needs no image, and no emoji font. */
import { html } from '/vendor/preact.js';

/** Each is drawn in a 100 by 100 field with one stroke width. */
const MOTIFS = {
  // an arch of stones, the one in its middle proud of the others
  keystone:
    'M14 88V52a36 36 0 0 1 26-34M60 18a36 36 0 0 1 26 34v36M34 88V54a16 16 0 0 1 11-15M55 39a16 16 0 0 1 11 15v34M40 10h20l-5 32H45zM20 34l17 10M80 34 63 44M14 54h20M66 54h20M14 71h20M66 71h20',
  // two wedges that lean against each other
  voussoir: 'M12 82 28 22l21 7-6 55zM88 82 72 22l-21 7 6 55z',
  // the timber below an arch that does not stand by itself yet
  centring:
    'M14 56a36 36 0 0 1 72 0zM50 20v36M50 56 24 31M50 56l26-25M24 56v32M50 56v32M76 56v32M24 88l26-32M76 88 50 56M14 88h72',
  // a bob on its line
  plumb: 'M28 12h44M50 12v38M39 50h22v12L50 90 39 62zM39 62h22',
  // blade and handle
  trowel: 'M50 92 28 50h44zM50 50V38M43 38h14V17a7 7 0 0 0-14 0z',
  lantern: 'M50 8v12M32 34a18 14 0 0 1 36 0M28 34h44l-6 46H34zM50 34v46M28 90h44M39 80v10M61 80v10',
};
/** A tile, for what has no drawing. */
const OTHER =
  'M14 14h72v72H14zM14 50a36 36 0 0 1 36-36M50 14a36 36 0 0 1 36 36M86 50a36 36 0 0 1-36 36M50 86a36 36 0 0 1-36-36M50 38l12 12-12 12-12-12z';
const TINT_COUNT = 3;

/**
 * @param {object} props
 * @param {string} props.id of the product
 * @param {import('./api.mjs').Product[]} props.products the catalogue, in the order of which the tints go round
 */
export function Picture({ id, products }) {
  const index = Math.max(
    0,
    products.findIndex((product) => product.id === id),
  );
  return html`<div class=${`picture tint-${index % TINT_COUNT}`} aria-hidden="true">
    <svg viewBox="0 0 100 100"><path d=${Object.hasOwn(MOTIFS, id) ? MOTIFS[id] : OTHER} /></svg>
  </div>`;
}
