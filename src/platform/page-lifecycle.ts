/**
 * Browser events as page signals. The table is the whole state machine:
 *
 * | event            | where    | condition   | signal    |
 * | ---------------- | -------- | ----------- | --------- |
 * | beforeunload     | window   |             | `unloading` |
 * | visibilitychange | document | hidden      | `hidden`  |
 * | visibilitychange | document | visible     | `visible` |
 * | pagehide         | window   | persisted   | `cached`  |
 * | pagehide         | window   | not persisted | `leaving` |
 * | freeze           | document |             | `cached`  |
 * | resume           | document |             | `visible` |
 * | pageshow         | window   | persisted   | `visible` |
 *
 * pagehide never fires on document; its order to visibilitychange differs by engine, so every signal may come
 * twice and in any order. None of these listeners keeps a page out of the bfcache (measured in Chromium 156, Firefox
 * 153); `unload` would. beforeunload does not say that the page goes: it is where Firefox looks for locks.
 *
 * @see https://html.spec.whatwg.org/multipage/document-lifecycle.html
 * @see https://wicg.github.io/page-lifecycle/
 */
import type { PageSignal, Stop } from './platform.js';

type Target = Pick<EventTarget, 'addEventListener' | 'removeEventListener'>;

// An object, as Node's removeEventListener does not know `true`. Capturing, so that a page cannot stop the event before us.
const CAPTURE = { capture: true };

/** Shared by all that listen: Chromium calls the window's listeners in the order in which they came, captured or not. */
const firsts = new Set<(signal: PageSignal) => void>();

/**
 * Calls `listener` for each signal until stopped.
 *
 * @param isFirst for those who end spans: it hears of each signal before those who send them, and perhaps once more.
 */
export function onPageSignal(
  win: Target,
  doc: Target & { readonly visibilityState: string },
  listener: (signal: PageSignal) => void,
  isFirst = false,
): Stop {
  if (isFirst) firsts.add(listener);
  const persisted = (event: Event): boolean => (event as PageTransitionEvent).persisted;
  const rows: [Target, string, (event: Event) => PageSignal | undefined][] = [
    [doc, 'visibilitychange', () => (doc.visibilityState === 'hidden' ? 'hidden' : 'visible')],
    [win, 'beforeunload', () => 'unloading'],
    [win, 'pagehide', (event) => (persisted(event) ? 'cached' : 'leaving')],
    [doc, 'freeze', () => 'cached'],
    [doc, 'resume', () => 'visible'],
    [win, 'pageshow', (event) => (persisted(event) ? 'visible' : undefined)],
  ];
  const stops = rows.map(([target, type, signalOf]) => {
    const handle = (event: Event): void => {
      const signal = signalOf(event);
      if (!signal) return;
      if (!isFirst) for (const first of firsts) first(signal);
      listener(signal);
    };
    target.addEventListener(type, handle, CAPTURE);
    return () => target.removeEventListener(type, handle, CAPTURE);
  });
  return () => {
    firsts.delete(listener);
    for (const stop of stops) stop();
  };
}
