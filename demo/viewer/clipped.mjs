/** One line of text of which the middle goes where there is little room: names differ at their end as often. */
import { html, useLayoutEffect, useRef } from '/vendor/preact.js';
import { cutMiddle } from './cut-middle.mjs';
import { textMeasure } from './text-measure.mjs';

// The text itself stays, for search, selection and screen readers; what is cut is drawn over it.
const observer = new ResizeObserver((entries) => {
  const targets = entries.map(({ target }) => /** @type {HTMLElement} */ (target));
  const cuts = targets.map((target) => {
    if (target.scrollWidth <= target.clientWidth) return undefined;
    const { textContent, clientWidth, dataset } = target;
    return cutMiddle(textContent, clientWidth, textMeasure(target), Number(dataset.tail));
  });
  for (const [index, target] of targets.entries()) {
    if (cuts[index] === undefined) delete target.dataset.cut;
    else target.dataset.cut = cuts[index];
  }
});

/**
 * @param {object} props
 * @param {string} props.text
 * @param {number} [props.tail] characters at the end that stay as long as anything of the beginning does. Default 10.
 * @param {string} [props.also] further classes
 */
export function Clipped({ text, tail = 10, also = '' }) {
  const element = useRef(null);
  useLayoutEffect(() => {
    const { current } = element;
    observer.observe(current);
    return () => observer.unobserve(current);
  }, [text]);
  return html`<span class=${`clipped ${also}`} data-tail=${tail} ref=${element}>${text}</span>`;
}
