/** One trace: what it is, its waterfall or its raw OTLP, and the details of the span picked. */
import { html, useMemo, useState } from '/vendor/preact.js';
import { assignColours } from './colours.mjs';
import { CopyButton } from './copy-button.mjs';
import { projectOf } from './error-groups.mjs';
import { formatHash } from './filter.mjs';
import { KindIcon } from './kind-icon.mjs';
import { momentsOf } from './moments.mjs';
import { MomentsLane } from './moments-lane.mjs';
import { NameSplitter } from './name-splitter.mjs';
import { Older } from './older.mjs';
import { KINDS } from './page-facts.mjs';
import { RawOtlp } from './raw-otlp.mjs';
import { SpanDetails } from './span-details.mjs';
import { ancestorIds, buildTree } from './span-tree.mjs';
import { formatDuration } from './timeline.mjs';
import { Waterfall } from './waterfall.mjs';
import { describeEnd, describeOdds, formatTime, hasLength, pagePath, plural, shortId } from './wording.mjs';

const BACK_WORDS = {
  traces: 'Back to the list',
  sessions: 'Back to the session',
  errors: 'Back to the errors',
  overview: 'Back to the overview',
};

/**
 * @param {object} props
 * @param {import('./traces.mjs').Trace} props.trace
 * @param {string} props.spanId whose details are open, or empty
 * @param {'waterfall' | 'raw'} props.tab
 * @param {'traces' | 'sessions' | 'errors' | 'overview'} props.view where it was opened
 * @param {(change: { spanId?: string, tab?: string }) => void} props.onGo
 * @param {() => void} props.onClose
 * @param {import('./feed.mjs').Feed | undefined} props.feed
 * @param {() => void} props.onOlder
 */
export function TraceView({ trace, spanId, tab, view, onGo, onClose, feed, onOlder }) {
  const [collapsed, setCollapsed] = useState(new Set());
  const tree = useMemo(() => buildTree(trace.spans.values()), [trace, trace.revision]);
  const colours = useMemo(() => assignColours(trace.spans.values()), [trace, trace.revision]);
  const { summary } = trace;
  const { session } = summary;
  const moments = useMemo(() => momentsOf(summary, trace.logs), [trace, trace.revision]);
  const axis = { start: summary.start ?? 0n, duration: summary.extent };
  const span = trace.spans.get(spanId);
  const parentName = trace.spans.get(span?.parentSpanId)?.name ?? '';

  // A permalink may point into a collapsed subtree.
  const hiding = span === undefined ? [] : ancestorIds(trace.spans, spanId).filter((id) => collapsed.has(id));
  const effective = useMemo(() => {
    if (hiding.length === 0) return collapsed;
    return new Set([...collapsed].filter((id) => !hiding.includes(id)));
  }, [collapsed, spanId, trace.revision]);
  const onCollapse = (next) => {
    const hidesOpenSpan = span !== undefined && ancestorIds(trace.spans, spanId).some((id) => next.has(id));
    setCollapsed(next);
    if (hidesOpenSpan) onGo({ spanId: '' });
  };

  return html`<article class="trace-view" aria-label=${`Trace ${summary.rootName}`}>
    <header class="trace-head">
      <div class="trace-title">
        <button
          class=${view === 'traces' ? 'icon back' : 'icon'}
          aria-label=${BACK_WORDS[view]}
          onClick=${onClose}
        >
          ←
        </button>
        <${KindIcon} kind=${summary.kind} />
        <h1>${summary.rootName}</h1>
        <${CopyButton} text=${() => location.href} label="Copy link" of="to this view" />
      </div>
      <p class="facts">
        ${hasLength(summary) && html`<span><b>${formatDuration(summary.duration)}</b></span>`}
        ${summary.kind !== 'other' && html`<span>${KINDS[summary.kind]}</span>`}
        <span>${plural(summary.spanCount, 'span')}</span>
        ${summary.errorCount > 0 && html`<span class="badge error">${plural(summary.errorCount, 'error')}</span>`}
        <span>${summary.services.join(', ')}</span>
        <time>${formatTime(summary.start)}</time>
        ${trace.duplicates > 0 && html`<span class="badge">${plural(trace.duplicates, 'duplicate')} hidden</span>`}
        ${describeEnd(summary.ended) && html`<span class="badge">${describeEnd(summary.ended)}</span>`}
        ${summary.probability < 1 && html`<span class="badge">${describeOdds(summary)}</span>`}
        ${
          session &&
          html`<a href=${formatHash({ view: 'sessions', sessionId: session.id })}>
            Session <code>${shortId(session.id)}</code>
          </a>`
        }
      </p>
      ${summary.pageUrl && html`<p class="page-url">${pagePath(summary.pageUrl)}</p>`}
      ${summary.isFragment && html`<${Fragment} feed=${feed} onOlder=${onOlder} />`}
    </header>
    <div class="view-bar">
      <${Tabs} tab=${tab} onGo=${onGo} partCount=${trace.parts.length} />
      ${tab === 'waterfall' && html`<${Legend} colours=${colours} />`}
    </div>
    ${
      tab === 'raw'
        ? html`<${RawOtlp} trace=${trace} />`
        : html`<div
            class=${span ? 'trace-body with-details' : 'trace-body'}
            role="tabpanel"
            id="panel-waterfall"
            aria-labelledby="tab-waterfall"
          >
            <div class="timeline">
              ${moments.length > 0 && html`<${MomentsLane} moments=${moments} axis=${axis} onSelect=${(id) => onGo({ spanId: id })} />`}
              <${Waterfall}
              key=${trace.traceId}
              moments=${moments}
              tree=${tree}
              axis=${axis}
              colours=${colours}
              selectedId=${span ? spanId : ''}
              collapsed=${effective}
              onCollapse=${onCollapse}
              onSelect=${(id) => onGo({ spanId: id })}
              />
              <${NameSplitter} />
            </div>
            ${
              span &&
              html`<${SpanDetails}
                key=${spanId}
                span=${span}
                axis=${axis}
                project=${projectOf(trace.parts[0].key)}
                parentName=${parentName}
                onSelect=${(id) => onGo({ spanId: id })}
                onClose=${() => onGo({ spanId: '' })}
              />`
            }
          </div>`
    }
  </article>`;
}

function Fragment({ feed, onOlder }) {
  const count = plural(feed?.objectCount ?? 0, 'object');
  return html`<div class="fragment">
    <p>What these spans are a part of is in none of the ${count} read so far.</p>
    <${Older} feed=${feed} onOlder=${onOlder} />
  </div>`;
}

function Tabs({ tab, onGo, partCount }) {
  const tabs = [
    ['waterfall', 'Waterfall'],
    ['raw', partCount > 1 ? `Raw OTLP (${partCount} objects)` : 'Raw OTLP'],
  ];
  const onKeyDown = (event) => {
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
    const other = tab === 'raw' ? 'waterfall' : 'raw';
    onGo({ tab: other });
    document.getElementById(`tab-${other}`)?.focus();
  };
  return html`<div class="tabs" role="tablist" aria-label="Views of the trace" onKeyDown=${onKeyDown}>
    ${tabs.map(
      ([id, label]) =>
        html`<button
          id=${`tab-${id}`}
          role="tab"
          aria-selected=${tab === id ? 'true' : 'false'}
          aria-controls=${tab === id ? `panel-${id}` : null}
          tabindex=${tab === id ? '0' : '-1'}
          onClick=${() => onGo({ tab: id })}
        >
          ${label}
        </button>`,
    )}
  </div>`;
}

function Legend({ colours }) {
  if (colours.legend.length < 2) return null;
  return html`<ul class="legend" aria-label="Colours">
    ${colours.legend.map(([name, hue]) => html`<li><i class=${`swatch hue-${hue}`}></i>${name}</li>`)}
  </ul>`;
}
