/** The spans of one trace on a time axis: a treegrid that renders only the rows in sight. */
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from '/vendor/preact.js';
import { repeatedNames } from './span-label.mjs';
import { OrphanNote, rowId, SpanRow } from './span-row.mjs';
import { visibleRows } from './span-tree.mjs';
import { textMeasure } from './text-measure.mjs';
import { axisTicks, placeInstant } from './timeline.mjs';
import { useMedia } from './use-media.mjs';

/** Heights in pixels, as in viewer.css: a phone gives name and bar a line each. */
const ROW_HEIGHT = { wide: 30, narrow: 50 };
/** Rows rendered beyond the edges, so that a fast scroll shows no gaps. */
const OVERSCAN_ROWS = 12;
/** More lines would be a curtain. */
const MAX_MOMENT_LINES = 30;

/**
 * @param {object} props
 * @param {{ roots: import('./span-tree.mjs').Node[], orphanCount: number }} props.tree
 * @param {{ start: bigint, duration: bigint }} props.axis
 * @param {import('./moments.mjs').Moment[]} props.moments lines through all rows
 * @param {import('./colours.mjs').Colours} props.colours
 * @param {string} props.selectedId span whose details are open, or empty
 * @param {ReadonlySet<string>} props.collapsed
 * @param {(collapsed: Set<string>) => void} props.onCollapse
 * @param {(spanId: string) => void} props.onSelect
 */
export function Waterfall({ tree, axis, moments, colours, selectedId, collapsed, onCollapse, onSelect }) {
  const narrow = useMedia('(max-width: 640px)');
  const rowHeight = narrow ? ROW_HEIGHT.narrow : ROW_HEIGHT.wide;
  const [activeId, setActiveId] = useState(selectedId);
  const [view, setView] = useState({ top: 0, height: 600, axisWidth: 0 });
  const scroller = useRef(null);
  const track = useRef(null);

  const rows = useMemo(() => visibleRows(tree.roots, collapsed), [tree, collapsed]);
  const repeated = useMemo(() => repeatedNames(tree.roots), [tree]);
  // The note about orphans is a line of its own, between the last true tree and the first orphan.
  const noteIndex = tree.orphanCount > 0 ? rows.findIndex((row) => row.node.orphan) : -1;
  const lineOf = (index) => (noteIndex >= 0 && index >= noteIndex ? index + 1 : index);
  const lineCount = lineOf(rows.length);
  const activeIndex = Math.max(
    0,
    rows.findIndex((row) => row.node.span.spanId === (activeId || selectedId)),
  );

  useLayoutEffect(() => {
    const element = scroller.current;
    const measure = () =>
      setView({
        top: element.scrollTop,
        height: element.clientHeight,
        axisWidth: track.current.clientWidth,
      });
    const observer = new ResizeObserver(measure);
    for (const one of [element, track.current]) observer.observe(one);
    element.addEventListener('scroll', measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', measure);
    };
  }, []);

  const reveal = (index) => {
    const element = scroller.current;
    const axisHeight = element.querySelector('.axis').offsetHeight;
    const top = lineOf(index) * rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    const bottom = top + rowHeight + axisHeight;
    if (bottom > element.scrollTop + element.clientHeight) element.scrollTop = bottom - element.clientHeight;
  };
  useEffect(() => {
    if (selectedId === '') return;
    setActiveId(selectedId);
    const index = rows.findIndex((row) => row.node.span.spanId === selectedId);
    if (index >= 0) reveal(index);
  }, [selectedId]);

  const activate = (index) => {
    const row = rows[Math.min(rows.length - 1, Math.max(0, index))];
    if (row === undefined) return;
    setActiveId(row.node.span.spanId);
    reveal(rows.indexOf(row));
    // Open details follow the cursor.
    if (selectedId !== '') onSelect(row.node.span.spanId);
  };
  const toggle = (spanId) => {
    const next = new Set(collapsed);
    if (!next.delete(spanId)) next.add(spanId);
    onCollapse(next);
  };
  const onKeyDown = (event) => {
    const row = rows[activeIndex];
    if (row === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    const { span, children } = row.node;
    const page = Math.max(1, Math.floor(view.height / rowHeight) - 2);
    const moves = {
      ArrowDown: activeIndex + 1,
      ArrowUp: activeIndex - 1,
      PageDown: activeIndex + page,
      PageUp: activeIndex - page,
      Home: 0,
      End: rows.length - 1,
    };
    if (event.key in moves) activate(moves[event.key]);
    else if (event.key === 'ArrowRight' && children.length > 0) {
      if (row.expanded) activate(activeIndex + 1);
      else toggle(span.spanId);
    } else if (event.key === 'ArrowLeft') {
      if (children.length > 0 && row.expanded) toggle(span.spanId);
      else activate(rows.findIndex((other) => other.node.span.spanId === span.parentSpanId));
    } else if (event.key === 'Enter' || event.key === ' ') onSelect(span.spanId);
    else return;
    event.preventDefault();
  };

  const first = Math.max(0, Math.floor(view.top / rowHeight) - OVERSCAN_ROWS);
  const last = Math.ceil((view.top + view.height) / rowHeight) + OVERSCAN_ROWS;
  const ticks = axisTicks(axis.duration, view.axisWidth, textMeasure(track.current));

  return html`<div
    id="waterfall"
    class="waterfall"
    ref=${scroller}
    role="treegrid"
    aria-label="Spans"
    aria-rowcount=${rows.length}
    aria-activedescendant=${rows.length > 0 ? rowId(rows[activeIndex].node.span.spanId) : null}
    tabindex="0"
    onKeyDown=${onKeyDown}
  >
    <div class="axis" role="presentation" aria-hidden="true">
      <span class="axis-title">${narrow ? '' : 'Span'}</span>
      <div class="axis-track" ref=${track}>
        ${ticks.map(
          (tick) =>
            html`<span class=${tick.flipped ? 'tick flipped' : 'tick'} style=${{ left: `${tick.percent}%` }}>
              ${tick.label}
            </span>`,
        )}
      </div>
      <span class="axis-title end">${narrow ? '' : 'Duration'}</span>
    </div>
    <div class="rows" role="rowgroup" style=${{ height: `${lineCount * rowHeight}px` }}>
      <div class="gridlines" role="presentation" aria-hidden="true">
        ${ticks.map((tick) => html`<i style=${{ left: `${tick.percent}%` }}></i>`)}
        ${moments
          .slice(0, MAX_MOMENT_LINES)
          .map(
            ({ kind, rating, time }) =>
              html`<i class=${`moment ${kind} ${rating}`} style=${{ left: `${placeInstant(time, axis)}%` }}></i>`,
          )}
      </div>
      ${
        noteIndex >= 0 &&
        html`<${OrphanNote} count=${tree.orphanCount} top=${noteIndex * rowHeight} height=${rowHeight} />`
      }
      ${rows.map((row, index) => {
        const line = lineOf(index);
        const inSight = (line >= first && line <= last) || index === activeIndex;
        if (!inSight) return null;
        const { spanId } = row.node.span;
        return html`<${SpanRow}
          key=${spanId}
          row=${row}
          index=${index}
          top=${line * rowHeight}
          axis=${axis}
          colours=${colours}
          repeated=${repeated}
          active=${index === activeIndex}
          selected=${spanId === selectedId}
          onToggle=${() => toggle(spanId)}
          onPick=${() => {
            setActiveId(spanId);
            onSelect(spanId);
          }}
        />`;
      })}
    </div>
  </div>`;
}
