/**
 * Browser events as page signals. The table is the whole state machine:
 *
 * | event            | condition     | signal      |
 * | ---------------- | ------------- | ----------- |
 * | beforeunload     |               | `unloading` |
 * | visibilitychange | hidden        | `hidden`    |
 * | visibilitychange | visible       | `visible`   |
 * | pagehide         | persisted     | `cached`    |
 * | pagehide         | not persisted | `leaving`   |
 * | freeze           |               | `cached`    |
 * | resume           |               | `visible`   |
 * | pageshow         | persisted     | `visible`   |
 *
 * All are heard on the window, which is before the document when events are captured. The order of pagehide and
 * visibilitychange differs by engine, so every signal may come twice and in any order. None of these listeners keeps a page out of the bfcache (measured in Chromium 156, Firefox
 * 153); `unload` would. beforeunload does not say that the page goes: it is where Firefox looks for locks.
 *
 * @see https://html.spec.whatwg.org/multipage/document-lifecycle.html
 * @see https://wicg.github.io/page-lifecycle/
 */
import { listen } from './listen.js';
import type { PageSignal, Stop } from './platform.js';

/** Shared by all that listen: Chromium calls the window's listeners in the order in which they came, captured or not. */
const firsts = new Set<(signal: PageSignal) => void>();

/**
 * Calls `listener` for each signal until stopped.
 *
 * @param isFirst for those who end spans: it hears of each signal before those who send them, and perhaps once more.
 */
export function onPageSignal(
  win: Pick<EventTarget, 'addEventListener' | 'removeEventListener'>,
  isHidden: () => boolean,
  listener: (signal: PageSignal) => void,
  isFirst = false,
): Stop {
  if (isFirst) firsts.add(listener);
  const persisted = (event: Event): boolean => (event as PageTransitionEvent).persisted;
  const rows: [string, (event: Event) => PageSignal | undefined][] = [
    ['visibilitychange', () => (isHidden() ? 'hidden' : 'visible')],
    ['beforeunload', () => 'unloading'],
    ['pagehide', (event) => (persisted(event) ? 'cached' : 'leaving')],
    ['freeze', () => 'cached'],
    ['resume', () => 'visible'],
    ['pageshow', (event) => (persisted(event) ? 'visible' : undefined)],
  ];
  const stops = rows.map(([type, signalOf]) =>
    listen(win, type, (event) => {
      const signal = signalOf(event);
      if (!signal) return;
      if (!isFirst) for (const first of firsts) first(signal);
      listener(signal);
    }),
  );
  return () => {
    firsts.delete(listener);
    for (const stop of stops) stop();
  };
}
