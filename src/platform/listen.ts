/**
 * Listeners that stay. `document.open()`, and `document.write()` on a page that has loaded, take every listener off
 * the window and the document, and tell nobody; but the document's children go with them, which an observer is told of.
 *
 * @see https://html.spec.whatwg.org/multipage/dynamic-markup-insertion.html#document-open-steps
 */
import type { Stop } from './platform.js';

type Target = Pick<EventTarget, 'addEventListener' | 'removeEventListener'>;

/**
 * An object, as Node's removeEventListener does not know `true`. Capturing, so that a page cannot stop the event before
 * us, and to hear on the window what happens to the document.
 */
const CAPTURE = { capture: true };

const additions = new Set<() => void>();
let observer: MutationObserver | undefined;

function observe(): void {
  const { document, MutationObserver } = globalThis as Partial<typeof globalThis>;
  if (observer || !document || !MutationObserver) return;
  observer = new MutationObserver(() => {
    for (const add of additions) {
      try {
        add();
      } catch {
        // The page's own function, which let us listen before.
      }
    }
  });
  observer.observe(document, { childList: true });
}

/**
 * Calls `handle` for each event of this type until stopped. It is never heard twice.
 *
 * @param methods whose are used: an element may have taken the names of the document's.
 */
export function listen<E extends Event>(
  target: Target,
  type: string,
  handle: (event: E) => void,
  methods: Target = target,
): Stop {
  const listener = handle as EventListener;
  const add = (): void => methods.addEventListener.call(target, type, listener, CAPTURE);
  add();
  additions.add(add);
  observe();
  return () => {
    additions.delete(add);
    methods.removeEventListener.call(target, type, listener, CAPTURE);
    if (additions.size) return;
    observer?.disconnect();
    observer = undefined;
  };
}
