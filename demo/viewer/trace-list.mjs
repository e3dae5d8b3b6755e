/** The side of the traces: search, filters, and the list. */
import { html, useMemo, useState } from '/vendor/preact.js';
import { Clipped } from './clipped.mjs';
import { EmptyState } from './empty-states.mjs';
import { filterTraces, isNoFilter, NO_FILTER } from './filter.mjs';
import { FilterBar } from './filter-bar.mjs';
import { KindIcon } from './kind-icon.mjs';
import { ListBox } from './list-box.mjs';
import { ListHead } from './list-head.mjs';
import { Notices } from './notices.mjs';
import { Older } from './older.mjs';
import { worstVitals } from './page-facts.mjs';
import { estimateCount } from './sessions.mjs';
import { formatDuration, logShare } from './timeline.mjs';
import { useHeld } from './use-held.mjs';
import { CORE_VITALS, VitalChips } from './vital-chips.mjs';
import { describeOdds, formatTime, hasLength, NUMBERS, pathOnly, plural } from './wording.mjs';

const idOf = ({ traceId }) => traceId;
const about = ({ summary, isNews }) => ({ start: summary.start, isNews });
const NONE = [];

/**
 * @param {object} props
 * @param {import('./feed.mjs').Feed | undefined} props.feed
 * @param {string} props.openId
 * @param {(traceId: string, byKeyboard: boolean) => void} props.onOpen
 * @param {() => void} props.onOlder reads older objects
 * @param {() => void} props.onRetry reads again what could not be read
 */
export function TraceSide({ feed, openId, onOpen, onOlder, onRetry }) {
  const [filter, setFilter] = useState(NO_FILTER);
  // While the first page is read, a part whose root is on its way waits for it.
  const all = useMemo(
    () => (feed?.settled ? feed.traces : (feed?.traces.filter(({ summary }) => !summary.isFragment) ?? NONE)),
    [feed],
  );
  const services = useMemo(() => [...new Set(all.flatMap(({ summary }) => summary.services))].sort(), [feed]);
  const matching = useMemo(() => filterTraces(all, filter), [feed, filter]);
  const held = useHeld(matching, about, filter);
  const { shown } = held;
  const longest = longestDuration(shown);
  const estimate = estimateCount(matching);
  const count = isNoFilter(filter)
    ? plural(all.length, 'trace')
    : `${NUMBERS.format(matching.length)} of ${plural(all.length, 'trace')}`;

  return html`<nav class="side" aria-label="Traces" ...${held.pointing}>
    <${FilterBar} filter=${filter} services=${services} onChange=${setFilter} />
    <${ListHead} feed=${feed} newCount=${held.waiting.length} noun="trace" onReveal=${held.reveal}>
      ${count}${estimate > matching.length && html`, for about ${NUMBERS.format(estimate)} before sampling`}
    <//>
    <${Notices} feed=${feed} onRetry=${onRetry} />
    ${
      shown.length > 0
        ? html`<${ListBox}
            id="trace-list"
            label="Traces, newest first"
            items=${shown}
            idOf=${idOf}
            openId=${openId}
            onOpen=${(trace, byKeyboard) => onOpen(trace.traceId, byKeyboard)}
            onReading=${held.setReading}
            isFailed=${({ summary }) => summary.errorCount > 0}
            row=${({ summary }) => html`<${TraceRow} summary=${summary} longest=${longest} />`}
          >
            <${Older} feed=${feed} onOlder=${onOlder} />
          <//>`
        : html`<${EmptyState}
            feed=${feed}
            filtered=${!isNoFilter(filter)}
            onClear=${() => setFilter(NO_FILTER)}
            onOlder=${onOlder}
          />`
    }
  </nav>`;
}

function TraceRow({ summary, longest }) {
  const [exception] = summary.exceptions;
  const vitals = worstVitals(summary.vitals).filter(({ name }) => CORE_VITALS.includes(name));
  return html`<div class="option-line">
      <${KindIcon} kind=${summary.kind} />
      <span class="option-name" title=${summary.rootName}><${Clipped} text=${summary.rootName} /></span>
      <span class="option-duration">${hasLength(summary) && formatDuration(summary.duration)}</span>
    </div>
    <div class="option-line option-facts">
      <span>${summary.services.join(', ')}</span>
      <span>${plural(summary.spanCount, 'span')}</span>
      ${summary.errorCount > 0 && html`<span class="badge error">${plural(summary.errorCount, 'error')}</span>`}
      ${!summary.hasRoot && html`<span class="badge">${summary.isFragment ? 'its root is not read' : 'began elsewhere'}</span>`}
      ${summary.probability < 1 && html`<span class="badge">${describeOdds(summary)}</span>`}
      <time class="option-time">${formatTime(summary.start)}</time>
    </div>
    <div class="option-line option-last">
      ${
        exception
          ? html`<span class="option-error"><${Clipped} text=${`${exception.type}: ${exception.message}`} /></span>`
          : html`<span><${Clipped} text=${summary.partNames || (summary.pageUrl && pathOnly(summary.pageUrl))} /></span>`
      }
      <${VitalChips} vitals=${vitals} />
    </div>
    <div class="option-share"><div style=${{ width: `${logShare(summary.duration, longest)}%` }}></div></div>`;
}

function longestDuration(traces) {
  let longest = 0n;
  for (const { summary } of traces) if (summary.duration > longest) longest = summary.duration;
  return longest;
}
