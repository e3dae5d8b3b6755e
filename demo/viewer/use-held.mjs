import { useRef, useState } from '/vendor/preact.js';
import { partHeld } from './held.mjs';

/**
 * Holds a list still while somebody reads it: news wait behind a button, so that no row moves under the pointer.
 *
 * @template T
 * @param {T[]} items to show, newest first
 * @param {(item: T) => { start: bigint | undefined, isNews: boolean }} about
 * @param {unknown} question what was asked for; a changed one is answered whole
 */
export function useHeld(items, about, question) {
  const [reading, setReading] = useState(false);
  const [pointed, setPointed] = useState(false);
  const [, redraw] = useState(0);
  const held = useRef({ question, edge: undefined });

  const firstStart = items.length > 0 ? (about(items[0]).start ?? 0n) : undefined;
  const isHeld = reading || pointed;
  if (!isHeld || held.current.question !== question) held.current = { question, edge: firstStart };
  // Nothing was there when the reading began: the first that comes is the first row.
  held.current.edge ??= firstStart;

  return {
    ...partHeld(items, about, held.current.edge),
    /** Shows those that wait. */
    reveal() {
      held.current.edge = undefined;
      redraw((count) => count + 1);
    },
    /** True while the list has the focus, or has been scrolled. */
    setReading,
    /** For the element around the list. */
    pointing: {
      onPointerEnter: ({ pointerType }) => setPointed(pointerType === 'mouse'),
      onPointerLeave: () => setPointed(false),
    },
  };
}
