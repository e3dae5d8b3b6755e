/** Widths of texts before they are drawn. */

/** Digits of one width, and fractions of a pixel, may make a text a little wider than it is measured. */
const SAFETY = 1.06;
/** Before anything is drawn: wider than most. */
const CHAR_PIXELS = 8;

let pen;

/** @param {Element | null} element whose font is used @returns {(text: string) => number} in pixels */
export function textMeasure(element) {
  if (element === null) return (text) => text.length * CHAR_PIXELS;
  const { fontWeight, fontSize, fontFamily } = getComputedStyle(element);
  pen ??= document.createElement('canvas').getContext('2d');
  return (text) => {
    pen.font = `${fontWeight} ${fontSize} ${fontFamily}`;
    return pen.measureText(text).width * SAFETY;
  };
}
