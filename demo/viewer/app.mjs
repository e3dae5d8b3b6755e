/** The trace viewer: a list of what lies in the bucket, and the trace that is open. */
import { html, render, useEffect, useMemo, useRef, useState } from '/vendor/preact.js';
import { EmptyState, NoTraceOpen, TraceNotHere } from './empty-states.mjs';
import { startFeed } from './feed.mjs';
import { filterTraces, formatHash, isNoFilter, NO_FILTER, parseHash } from './filter.mjs';
import { FilterBar } from './filter-bar.mjs';
import { Notices } from './notices.mjs';
import { TraceList } from './trace-list.mjs';
import { TraceView } from './trace-view.mjs';
import { plural } from './wording.mjs';

const LIVE_WORDS = { connecting: 'Connecting…', live: 'Live', reconnecting: 'Reconnecting…' };

function App() {
  const [feed, setFeed] = useState(undefined);
  const [filter, setFilter] = useState(NO_FILTER);
  const [place, go] = usePlace();
  const [reading, setReading] = useState(false);
  const [pointed, setPointed] = useState(false);
  const source = useRef(undefined);
  const shownIds = useRef(new Set());

  useEffect(() => {
    source.current = startFeed(setFeed);
    return source.current.stop;
  }, []);
  useEffect(() => onShortcuts(go), []);

  const all = feed?.traces ?? [];
  const services = useMemo(() => [...new Set(all.flatMap(({ summary }) => summary.services))].sort(), [feed]);
  const matching = useMemo(() => filterTraces(all, filter), [feed, filter]);
  // While somebody reads, newcomers wait behind a button, so that no row moves under the pointer.
  if (!reading && !pointed) shownIds.current = new Set(all.map(({ traceId }) => traceId));
  const shown = matching.filter(({ traceId }) => shownIds.current.has(traceId));
  const heldCount = matching.length - shown.length;
  const revealHeld = () => {
    shownIds.current = new Set(all.map(({ traceId }) => traceId));
    setFilter({ ...filter });
    document.querySelector('.list-scroll')?.scrollTo({ top: 0 });
  };
  const trace = place.traceId === '' ? undefined : source.current?.get(place.traceId);

  return html`<div class=${place.traceId === '' ? 'viewer' : 'viewer trace-open'}>
    <header class="top">
      <a class="brand" href="/viewer/"><img src="/icon.svg" alt="" width="24" height="24" />Spandrel <span>traces</span></a>
      <${Live} state=${feed?.state ?? 'connecting'} />
      <a class="to-shop" href="/">Open the shop</a>
    </header>
    <nav
      class="side"
      aria-label="Traces"
      onPointerEnter=${(event) => setPointed(event.pointerType === 'mouse')}
      onPointerLeave=${() => setPointed(false)}
    >
      <${FilterBar} filter=${filter} services=${services} onChange=${setFilter} />
      <div class="list-head">
        <span role="status">
          ${isNoFilter(filter) ? plural(all.length, 'trace') : `${matching.length} of ${plural(all.length, 'trace')}`}
        </span>
        ${
          heldCount > 0 &&
          html`<button class="pill" onClick=${revealHeld}>↑ ${plural(heldCount, 'new trace')}</button>`
        }
      </div>
      <${Notices} feed=${feed} onRetry=${() => source.current.retry()} />
      ${
        shown.length > 0
          ? html`<${TraceList}
              traces=${shown}
              openId=${place.traceId}
              hasOlder=${feed?.hasOlder}
              onOlder=${() => source.current.loadOlder()}
              onReading=${setReading}
              onOpen=${(traceId, byKeyboard) => {
                go({ traceId, spanId: '', tab: place.tab });
                if (byKeyboard) focusSoon('waterfall');
              }}
            />`
          : html`<${EmptyState}
              feed=${feed}
              filtered=${all.length > 0}
              onClear=${() => setFilter(NO_FILTER)}
            />`
      }
    </nav>
    <main class="main">
      ${
        trace !== undefined
          ? html`<${TraceView}
              key=${trace.traceId}
              trace=${trace}
              spanId=${place.spanId}
              tab=${place.tab}
              onGo=${(change) => go({ ...place, ...change })}
              onClose=${() => go({ traceId: '', spanId: '', tab: 'waterfall' })}
            />`
          : place.traceId !== ''
            ? html`<${TraceNotHere} feed=${feed} onOlder=${() => source.current.loadOlder()} />`
            : html`<${NoTraceOpen} />`
      }
    </main>
  </div>`;
}

function Live({ state }) {
  return html`<span class=${`live ${state}`} role="status"><i aria-hidden="true"></i>${LIVE_WORDS[state]}</span>`;
}

// What is open lives in the address. Another trace is a step back in history; another span of it is not.
function usePlace() {
  const [place, setPlace] = useState(() => parseHash(location.hash));
  useEffect(() => {
    const update = () => setPlace(parseHash(location.hash));
    addEventListener('popstate', update);
    addEventListener('hashchange', update);
    return () => {
      removeEventListener('popstate', update);
      removeEventListener('hashchange', update);
    };
  }, []);
  // The address says what is open now; a listener may still hold the place of an earlier render.
  const go = (next) => {
    const write = next.traceId === parseHash(location.hash).traceId ? 'replaceState' : 'pushState';
    history[write](null, '', formatHash(next));
    setPlace(next);
  };
  return [place, go];
}

function onShortcuts(go) {
  const onKeyDown = (event) => {
    const place = parseHash(location.hash);
    const typing = event.target.closest?.('input, select, textarea') !== null;
    if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey) {
      document.getElementById('search')?.focus();
      event.preventDefault();
    } else if (event.key === 'Escape') {
      if (typing) event.target.blur();
      else if (place.spanId !== '') {
        go({ ...place, spanId: '' });
        focusSoon('waterfall');
      } else if (place.traceId !== '') {
        go({ traceId: '', spanId: '', tab: 'waterfall' });
        focusSoon('trace-list');
      }
    }
  };
  addEventListener('keydown', onKeyDown);
  return () => removeEventListener('keydown', onKeyDown);
}

// After the render that brings the element.
function focusSoon(id) {
  setTimeout(() => document.getElementById(id)?.focus());
}

render(html`<${App} />`, document.getElementById('app'));
