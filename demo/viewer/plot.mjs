/** A plot by uPlot, in the page's colours and as wide as there is room. */
import { html, useEffect, useRef } from '/vendor/preact.js';
import UPlot from '/vendor/uplot.js';
import { useMedia } from './use-media.mjs';

const FONT = '12px system-ui, sans-serif';

/**
 * @typedef {object} Colours by the names of style.css, as they are now
 *
 * @param {object} props
 * @param {string} props.label what the plot says, for who cannot see it
 * @param {number} props.height pixels
 * @param {(colours: Record<string, string>) => any} props.options uPlot's, without size
 * @param {any} props.data uPlot's: columns, of which the first is x
 */
export function Plot({ label, height, options, data }) {
  const box = useRef(null);
  const isDark = useMedia('(prefers-color-scheme: dark)');
  useEffect(() => {
    const width = () => Math.max(80, box.current.clientWidth);
    const plot = new UPlot({ width: width(), height, ...options(readColours()) }, data, box.current);
    const observer = new ResizeObserver(() => {
      if (width() !== plot.width) plot.setSize({ width: width(), height });
    });
    observer.observe(box.current);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [data, isDark, height]);
  return html`<div class="plot" role="img" aria-label=${label} ref=${box}></div>`;
}

const NAMES = ['ink', 'quiet', 'line', 'accent', 'error', 'warn', 'hue-0', 'hue-1'];

function readColours() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/** An axis as quiet as the page's lines. @param {Record<string, string>} colours @param {object} [own] */
export const quietAxis = (colours, own = {}) => ({
  stroke: colours.quiet,
  font: FONT,
  grid: { stroke: colours.line, width: 1 },
  ticks: { show: false },
  ...own,
});

/** Paths of bars. @param {number} share of the room that a bar takes */
export const bars = (share) => UPlot.paths.bars({ size: [share], align: 1, gap: 1 });
