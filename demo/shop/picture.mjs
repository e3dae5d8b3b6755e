/** A drawing for each product, out of arches: needs no image, and no emoji font. */
import { html } from '/vendor/preact.js';

/** Each is drawn in a 100 by 100 field with one stroke width. */
const MOTIFS = [
  // an arch of stones
  'M14 88V52a36 36 0 0 1 72 0v36M34 88V54a16 16 0 0 1 32 0v34M50 16v22M24 27l13 15M76 27 63 42M14 54h20M66 54h20M14 71h20M66 71h20',
  // a lantern
  'M50 8v12M32 34a18 14 0 0 1 36 0M28 34h44l-6 46H34zM50 34v46M28 90h44M39 80v10M61 80v10',
  // a rose window
  'M50 10a40 40 0 1 1 0 80 40 40 0 0 1 0-80M50 38a12 12 0 1 1 0 24 12 12 0 0 1 0-24M50 10v28M50 62v28M10 50h28M62 50h28M22 22l20 20M58 58l20 20M78 22 58 42M42 58 22 78',
  // steps
  'M12 88h18V70h18V52h18V34h22v54zM30 70V58M48 52V40M66 34V22M30 58l36-36',
  // a tile
  'M14 14h72v72H14zM14 50a36 36 0 0 1 36-36M50 14a36 36 0 0 1 36 36M86 50a36 36 0 0 1-36 36M50 86a36 36 0 0 1-36-36M50 38l12 12-12 12-12-12z',
  // a column
  'M22 14h56M28 14c0 12 8 12 8 14h28c0-2 8-2 8-14M36 28v50M64 28v50M45 28v50M55 28v50M30 78h40M24 88h52',
];

/** @param {{ index: number }} props place of the product in the catalogue */
export function Picture({ index }) {
  return html`<div class=${`picture tint-${Math.max(0, index) % 3}`} aria-hidden="true">
    <svg viewBox="0 0 100 100"><path d=${MOTIFS[Math.max(0, index) % MOTIFS.length]} /></svg>
  </div>`;
}
