/**
 * As much of the beginning and the end of a text as there is room for, with an ellipsis between.
 *
 * @param {string} text that is too long
 * @param {number} width in pixels
 * @param {(text: string) => number} widthOf
 * @param {number} tailChars characters at the end that stay as long as anything of the beginning does
 * @returns {string} `…` at least
 */
export function cutMiddle(text, width, widthOf, tailChars) {
  const chars = [...text];
  const keep = (count) => {
    const tail = Math.min(tailChars, Math.ceil(count / 2));
    return `${chars.slice(0, count - tail).join('')}…${tail > 0 ? chars.slice(-tail).join('') : ''}`;
  };
  // Longer never fits where shorter does not.
  let [most, tooMany] = [0, chars.length];
  while (tooMany - most > 1) {
    const middle = Math.floor((most + tooMany) / 2);
    if (widthOf(keep(middle)) <= width) most = middle;
    else tooMany = middle;
  }
  return keep(most);
}
