/** The trace viewer: what lies in the bucket as traces, as sessions or as errors, and what is open of it. */
import { html, render, useEffect, useMemo, useRef, useState } from '/vendor/preact.js';
import { ABOUT } from './about.mjs';
import { NotHere, NothingOpen } from './empty-states.mjs';
import { ErrorSide } from './error-list.mjs';
import { ErrorView } from './error-view.mjs';
import { startFeed } from './feed.mjs';
import { formatHash } from './filter.mjs';
import { Overview } from './overview.mjs';
import { overviewHref } from './overview-query.mjs';
import { focusSoon, goOut, onShortcuts, usePlace } from './place.mjs';
import { SessionSide } from './session-list.mjs';
import { SessionStory } from './session-story.mjs';
import { gatherSessions } from './sessions.mjs';
import { TraceSide } from './trace-list.mjs';
import { TraceView } from './trace-view.mjs';
import { useErrorGroups } from './use-error-groups.mjs';

const VIEWS = { overview: 'Overview', traces: 'Traces', sessions: 'Sessions', errors: 'Errors' };
/** @type {import('./filter.mjs').Place['view'][]} */
const VIEW_NAMES = ['overview', 'traces', 'sessions', 'errors'];
const LIVE_WORDS = { connecting: 'Connecting…', live: 'Live', reconnecting: 'Reconnecting…' };

function App() {
  const [feed, setFeed] = useState(undefined);
  const [place, go] = usePlace();
  const source = useRef(undefined);
  const { view, errorId, sessionId, traceId } = place;
  const isSessions = view === 'sessions';
  const isOverview = view === 'overview';

  useEffect(() => {
    source.current = startFeed(setFeed);
    return source.current.stop;
  }, []);
  useEffect(() => onShortcuts(go), []);
  const sessions = useMemo(() => (isSessions ? gatherSessions(feed?.traces ?? []) : []), [feed, isSessions]);

  const errors = useErrorGroups(view === 'errors' ? feed?.traces : undefined);

  // A figure leads to traces that lie anywhere in the bucket.
  const isAway = isOverview && traceId !== '' && feed?.settled && source.current?.get(traceId) === undefined;
  useEffect(() => {
    if (isAway) void source.current.load(traceId);
  }, [isAway, traceId]);

  const isOpen = isOverview || traceId !== '' || sessionId !== '' || errorId !== '';
  // A trace or session that is open has a heading of its own.
  const isTitled =
    traceId === ''
      ? sessions.some(({ id }) => id === sessionId) || errors.some(({ id }) => id === errorId)
      : source.current?.get(traceId) !== undefined;
  const reading = {
    feed,
    onOlder: () => source.current.loadOlder(),
    onRetry: () => source.current.retry(),
  };
  const openTrace = (id, byKeyboard) => {
    go({ ...place, traceId: id, spanId: '' });
    if (byKeyboard) focusSoon('waterfall');
  };
  const openSession = (id, byKeyboard) => {
    go({ view, sessionId: id });
    const first = sessions.find((session) => session.id === id)?.traces[0];
    if (byKeyboard && first) focusSoon(`story-${first.traceId}`);
  };

  const openError = (id, byKeyboard) => {
    go({ view, errorId: id });
    if (byKeyboard) focusSoon('error-view');
  };
  const sides = {
    overview: () => null,
    traces: () => html`<${TraceSide} ...${reading} openId=${traceId} onOpen=${openTrace} />`,
    sessions: () =>
      html`<${SessionSide} ...${reading} sessions=${sessions} openId=${sessionId} onOpen=${openSession} />`,
    errors: () => html`<${ErrorSide} ...${reading} groups=${errors} openId=${errorId} onOpen=${openError} />`,
  };

  return html`<div class=${`viewer${isOpen ? ' main-open' : ''}${isOverview ? ' whole' : ''}`}>
    <header class="top">
      ${!isTitled && html`<h1 class="visually-hidden">${VIEWS[view]}</h1>`}
      <a class="brand" href="/viewer/" aria-label="Spandrel">
        <img src="/icon.svg" alt="" width="24" height="24" /><span>Spandrel</span>
      </a>
      <nav class="views" aria-label="Views">
        ${VIEW_NAMES.map(
          (name) => html`<a
            key=${name}
            href=${formatHash({ view: name })}
            aria-current=${name === view ? 'page' : null}
            >${VIEWS[name]}</a
          >`,
        )}
      </nav>
      <${Live} state=${feed?.state ?? 'connecting'} />
      ${ABOUT.source && html`<span class="source quiet">${ABOUT.source}</span>`}
      ${ABOUT.shopUrl && html`<a class="to-shop" href=${ABOUT.shopUrl}>Open the shop</a>`}
    </header>
    <main class="parts">
      ${sides[view]()}
      <div class="main">${openPart({ source, sessions, errors, place, go, reading })}</div>
    </main>
  </div>`;
}

function openPart({ source, sessions, errors, place, go, reading }) {
  const { view, errorId, sessionId, traceId, spanId, tab } = place;
  const close = () => goOut({ ...place, spanId: '' }, go);
  if (traceId !== '') {
    const trace = source.current?.get(traceId);
    if (trace === undefined && view === 'overview' && reading.feed?.isReading !== false)
      return html`<div class="empty"><p>Looking for the trace…</p></div>`;
    if (trace === undefined)
      return html`<${NotHere} ...${reading} noun="trace" back=${view === 'overview' ? overviewHref(place.query) : '#'} />`;
    return html`<${TraceView}
      ...${reading}
      key=${traceId}
      trace=${trace}
      spanId=${spanId}
      tab=${tab}
      view=${view}
      onGo=${(change) => go({ ...place, ...change })}
      onClose=${close}
    />`;
  }
  if (view === 'overview') {
    return html`<${Overview}
      query=${place.query}
      revision=${reading.feed?.newsCount ?? 0}
      onQuery=${(query) => go({ view, query })}
    />`;
  }
  if (errorId !== '') {
    const group = errors.find(({ id }) => id === errorId);
    if (group === undefined) return html`<${NotHere} ...${reading} noun="error" back="#errors" />`;
    return html`<${ErrorView} key=${errorId} group=${group} onClose=${close} />`;
  }
  if (sessionId === '') {
    const items = { traces: reading.feed?.traces ?? [], sessions, errors }[view];
    return html`<${NothingOpen} noun=${view.slice(0, -1)} isEmpty=${items.length === 0} />`;
  }
  const session = sessions.find(({ id }) => id === sessionId);
  if (session === undefined) return html`<${NotHere} ...${reading} noun="session" />`;
  return html`<${SessionStory}
    key=${sessionId}
    session=${session}
    knowsPrevious=${sessions.some(({ id }) => id === session.previousId)}
    onOpen=${(id) => {
      go({ ...place, traceId: id });
      focusSoon('waterfall');
    }}
    onClose=${close}
  />`;
}

function Live({ state }) {
  return html`<span class=${`live ${state}`} role="status"><i aria-hidden="true"></i>${LIVE_WORDS[state]}</span>`;
}

render(html`<${App} />`, document.getElementById('app'));
