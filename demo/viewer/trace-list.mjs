/** The list of traces: a listbox whose order holds still while somebody reads it. */
import { html, useEffect, useRef, useState } from '/vendor/preact.js';
import { formatDuration, logShare } from './timeline.mjs';
import { formatTime, pagePath, plural } from './wording.mjs';

/** Rows rendered at once; "Show more" adds as many again. */
const ROWS_STEP = 100;

/**
 * @param {object} props
 * @param {import('./traces.mjs').Trace[]} props.traces to show, in order
 * @param {string} props.openId
 * @param {(traceId: string, byKeyboard: boolean) => void} props.onOpen
 * @param {boolean} props.hasOlder older objects may lie in the bucket
 * @param {() => void} props.onOlder reads them
 * @param {(reading: boolean) => void} props.onReading true while the order should hold still
 */
export function TraceList({ traces, openId, hasOlder, onOpen, onOlder, onReading }) {
  const [activeId, setActiveId] = useState('');
  const [limit, setLimit] = useState(ROWS_STEP);
  const box = useRef(null);
  const reasons = useRef({ focus: false, scrolled: false });

  const shown = traces.slice(0, limit);
  const active = [activeId, openId].find((id) => shown.some((trace) => trace.traceId === id));
  const activeIndex = Math.max(
    0,
    shown.findIndex((trace) => trace.traceId === active),
  );
  const longest = longestDuration(shown);

  useEffect(() => {
    if (activeId !== '') document.getElementById(optionId(activeId))?.scrollIntoView({ block: 'nearest' });
  }, [activeId]);

  // A list that goes away is not being read, though no blur says so.
  useEffect(() => () => onReading(false), []);

  const note = (reason, holds) => {
    reasons.current[reason] = holds;
    onReading(Object.values(reasons.current).some(Boolean));
  };
  const move = (index) => {
    const trace = shown[Math.min(shown.length - 1, Math.max(0, index))];
    if (trace) setActiveId(trace.traceId);
  };
  const onKeyDown = (event) => {
    const target = {
      ArrowDown: activeIndex + 1,
      ArrowUp: activeIndex - 1,
      PageDown: activeIndex + 8,
      PageUp: activeIndex - 8,
      Home: 0,
      End: shown.length - 1,
    }[event.key];
    if (target !== undefined) move(target);
    else if ((event.key === 'Enter' || event.key === ' ') && shown[activeIndex]) {
      onOpen(shown[activeIndex].traceId, true);
    } else return;
    event.preventDefault();
  };

  return html`<div
    class="list-scroll"
    ref=${box}
    onScroll=${() => note('scrolled', box.current.scrollTop > 8)}
  >
    <div
      id="trace-list"
      role="listbox"
      aria-label="Traces, newest first"
      tabindex="0"
      aria-activedescendant=${shown[activeIndex] ? optionId(shown[activeIndex].traceId) : null}
      onKeyDown=${onKeyDown}
      onFocus=${() => note('focus', true)}
      onBlur=${() => note('focus', false)}
    >
      ${shown.map(
        (trace, index) =>
          html`<${TraceOption}
            key=${trace.traceId}
            trace=${trace}
            open=${trace.traceId === openId}
            active=${index === activeIndex}
            share=${logShare(trace.summary.duration, longest)}
            onPick=${() => {
              setActiveId(trace.traceId);
              onOpen(trace.traceId, false);
            }}
          />`,
      )}
    </div>
    ${
      traces.length > limit
        ? html`<button class="more" onClick=${() => setLimit(limit + ROWS_STEP)}>
            Show more (${traces.length - limit} left)
          </button>`
        : hasOlder && html`<button class="more" onClick=${onOlder}>Read older objects</button>`
    }
  </div>`;
}

function TraceOption({ trace, open, active, share, onPick }) {
  const { summary, traceId } = trace;
  return html`<div
    id=${optionId(traceId)}
    role="option"
    aria-selected=${open ? 'true' : 'false'}
    class=${`trace${active ? ' active' : ''}${summary.errorCount > 0 ? ' failed' : ''}`}
    onClick=${onPick}
  >
    <div class="trace-line">
      <span class="trace-name">${summary.rootName}</span>
      <span class="trace-duration">${formatDuration(summary.duration)}</span>
    </div>
    <div class="trace-line trace-facts">
      <span>${summary.serviceName}</span>
      <span>${plural(summary.spanCount, 'span')}</span>
      ${summary.errorCount > 0 && html`<span class="badge error">${plural(summary.errorCount, 'error')}</span>`}
      ${!summary.hasRoot && html`<span class="badge">root not here yet</span>`}
      <time class="trace-time">${formatTime(summary.start)}</time>
    </div>
    ${summary.pageUrl && html`<div class="trace-page">${pagePath(summary.pageUrl)}</div>`}
    <div class="trace-share"><div style=${{ width: `${share}%` }}></div></div>
  </div>`;
}

const optionId = (traceId) => `trace-${traceId}`;

function longestDuration(traces) {
  let longest = 0n;
  for (const { summary } of traces) if (summary.duration > longest) longest = summary.duration;
  return longest;
}
