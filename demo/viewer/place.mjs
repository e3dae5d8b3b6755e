/** What is open lives in the address. Another trace or session is a step back in history; another span of it is not. */
import { useEffect, useState } from '/vendor/preact.js';
import { formatHash, NOWHERE, parseHash } from './filter.mjs';

/** @returns {[import('./filter.mjs').Place, (next: Partial<import('./filter.mjs').Place>) => void]} */
export function usePlace() {
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
  const go = (change) => {
    const before = parseHash(location.hash);
    const next = { ...NOWHERE, ...change };
    const isNear = ['view', 'query', 'errorId', 'sessionId', 'traceId'].every(
      (part) => next[part] === before[part],
    );
    history[isNear ? 'replaceState' : 'pushState'](null, '', formatHash(next));
    setPlace(next);
  };
  return [place, go];
}

/** `/` goes to the search, Escape one step out. Returns what ends it. */
export function onShortcuts(go) {
  const onKeyDown = (event) => {
    const typing = event.target.closest?.('input, select, textarea') !== null;
    if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey) {
      document.getElementById('search')?.focus();
      event.preventDefault();
    } else if (event.key === 'Escape') {
      if (typing) event.target.blur();
      else goOut(parseHash(location.hash), go);
    }
  };
  addEventListener('keydown', onKeyDown);
  return () => removeEventListener('keydown', onKeyDown);
}

/** Closes the innermost that is open, and takes the focus to where it was opened from. */
export function goOut(place, go) {
  const { view, query, traceId, spanId, sessionId, errorId } = place;
  if (spanId !== '') {
    go({ ...place, spanId: '' });
    focusSoon('waterfall');
  } else if (traceId !== '') {
    go({ view, query, sessionId });
    if (view !== 'overview') focusSoon(view === 'sessions' ? `story-${traceId}` : 'trace-list');
  } else if (errorId !== '') {
    go({ view });
    focusSoon('error-list');
  } else if (sessionId !== '') {
    go({ view });
    focusSoon('session-list');
  }
}

/** After the render that brings the element. */
export function focusSoon(id) {
  setTimeout(() => document.getElementById(id)?.focus());
}
