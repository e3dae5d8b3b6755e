/**
 * Browser events as page signals. The table is the whole state machine:
 *
 * | event            | where    | condition     | signal      |
 * | ---------------- | -------- | ------------- | ----------- |
 * | beforeunload     | window   |               | `unloading` |
 * | visibilitychange | document | hidden        | `hidden`    |
 * | visibilitychange | document | visible       | `visible`   |
 * | pagehide         | window   | persisted     | `cached`    |
 * | pagehide         | window   | not persisted | `leaving`   |
 * | freeze           | document |               | `cached`    |
 * | resume           | document |               | `visible`   |
 * | pageshow         | window   | persisted     | `visible`   |
 *
 * What happens to the document is heard there: web-vitals reports from listeners on the window, which come before, and
 * what it reports as the page hides has to go with the rest. The order of pagehide and visibilitychange differs by
 * engine, so every signal may come twice and in any order. None of these listeners keeps a page out of the bfcache
 * (measured in Chromium 156, Firefox 153); `unload` would. beforeunload does not say that the page goes: it is where
 * Firefox looks for locks.
 *
 * @see https://html.spec.whatwg.org/multipage/document-lifecycle.html
 * @see https://wicg.github.io/page-lifecycle/
 */
import { ofDocument } from './dom.js';
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
  win: typeof globalThis,
  listener: (signal: PageSignal) => void,
  isFirst = false,
): Stop {
  if (isFirst) firsts.add(listener);
  const { document } = win;
  const persisted = (event: Event): boolean => (event as PageTransitionEvent).persisted;
  const rows: [EventTarget, string, (event: Event) => PageSignal | undefined][] = [
    [
      document,
      'visibilitychange',
      () => (ofDocument('visibilityState', win) === 'hidden' ? 'hidden' : 'visible'),
    ],
    [win, 'beforeunload', () => 'unloading'],
    [win, 'pagehide', (event) => (persisted(event) ? 'cached' : 'leaving')],
    [document, 'freeze', () => 'cached'],
    [document, 'resume', () => 'visible'],
    [win, 'pageshow', (event) => (persisted(event) ? 'visible' : undefined)],
  ];
  const stops = rows.map(([target, type, signalOf]) =>
    listen(
      target,
      type,
      (event) => {
        const signal = signalOf(event);
        if (!signal) return;
        if (!isFirst) for (const first of firsts) first(signal);
        listener(signal);
      },
      win,
    ),
  );
  return () => {
    firsts.delete(listener);
    for (const stop of stops) stop();
  };
}
