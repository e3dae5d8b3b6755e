/** Flags above the waterfall, each where its moment is: vitals, errors, and what the visitor did. */
import { html, useLayoutEffect, useRef, useState } from '/vendor/preact.js';
import { placeFlags } from './moments.mjs';
import { textMeasure } from './text-measure.mjs';

/**
 * @param {object} props
 * @param {import('./moments.mjs').Moment[]} props.moments
 * @param {{ start: bigint, duration: bigint }} props.axis
 * @param {(spanId: string) => void} props.onSelect
 */
export function MomentsLane({ moments, axis, onSelect }) {
  const track = useRef(null);
  const [width, setWidth] = useState(600);
  useLayoutEffect(() => {
    const measure = () => setWidth(track.current.clientWidth);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(track.current);
    return () => observer.disconnect();
  }, []);
  const { flags, laneCount, hiddenCount } = placeFlags(moments, axis, width, textMeasure(track.current));
  return html`<div class="moments">
    <span class="axis-title" aria-hidden="true">${hiddenCount > 0 ? `Moments, ${hiddenCount} more below` : 'Moments'}</span>
    <ul ref=${track} aria-label="Moments" style=${{ '--lanes': laneCount }}>
      ${flags.map(
        ({ kind, label, rated, rating, left, lane, flipped, room, spanId, time }) =>
          html`<li key=${`${spanId} ${time} ${label}`} style=${{ left: `${left}%`, '--lane': lane, '--room': `${room}px` }}>
            <button
              class=${`flag ${kind} ${rating}${flipped ? ' flipped' : ''}`}
              title=${rated ? `${label}, ${rated}` : label}
              onClick=${() => onSelect(spanId)}
            >
              ${label}${rated && html`<span class="visually-hidden">, ${rated}</span>`}
            </button>
          </li>`,
      )}
    </ul>
  </div>`;
}
