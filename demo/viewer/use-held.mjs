import { useRef, useState } from '/vendor/preact.js';

/**
 * Holds a list still while somebody reads it: newcomers wait behind a button, so that no row moves under the pointer.
 *
 * @template T
 * @param {T[]} all
 * @param {(item: T) => string} idOf
 */
export function useHeld(all, idOf) {
  const [reading, setReading] = useState(false);
  const [pointed, setPointed] = useState(false);
  const [, redraw] = useState(0);
  const shownIds = useRef(new Set());
  const reveal = () => {
    shownIds.current = new Set(all.map(idOf));
  };
  if (!reading && !pointed) reveal();
  return {
    /** @param {T} item */
    isShown: (item) => shownIds.current.has(idOf(item)),
    /** Shows those that wait. */
    reveal() {
      reveal();
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
