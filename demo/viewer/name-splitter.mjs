import { html, useLayoutEffect, useRef, useState } from '/vendor/preact.js';

const MIN_PIXELS = 100;
const KEY_PIXELS = 20;
/** From the left edge of what is drawn to the line that it stands for, as in waterfall.css. */
const BAR_PIXELS = 5;
/** Of the page, so that the next trace has it too. */
const CHOSEN = '--chosen-column';

/** Between the names and the bars of a waterfall: drawn with the pointer, or moved by the arrow keys. */
export function NameSplitter() {
  const bar = useRef(null);
  const [width, setWidth] = useState(MIN_PIXELS);
  const measure = () => setWidth(Math.round(bar.current.offsetLeft + BAR_PIXELS));
  const choose = (pixels) => {
    const most = bar.current.parentElement.clientWidth * 0.75;
    document.documentElement.style.setProperty(CHOSEN, `${Math.max(MIN_PIXELS, Math.min(pixels, most))}px`);
    measure();
  };
  useLayoutEffect(measure, []);

  const onKeyDown = (event) => {
    const step = { ArrowLeft: -KEY_PIXELS, ArrowRight: KEY_PIXELS }[event.key];
    if (step === undefined) return;
    choose(bar.current.offsetLeft + BAR_PIXELS + step);
    event.preventDefault();
  };
  return html`<div class="splitter">
    <div
      ref=${bar}
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the names"
      aria-valuenow=${width}
      aria-valuemin=${MIN_PIXELS}
      aria-valuemax=${Math.max(width, 2000)}
      tabindex="0"
      onKeyDown=${onKeyDown}
      onPointerDown=${(event) => {
        bar.current.setPointerCapture(event.pointerId);
        event.preventDefault();
      }}
      onPointerMove=${(event) => {
        if (!bar.current.hasPointerCapture(event.pointerId)) return;
        choose(event.clientX - bar.current.parentElement.getBoundingClientRect().left);
      }}
    ></div>
  </div>`;
}
