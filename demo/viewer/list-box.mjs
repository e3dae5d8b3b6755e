/** A listbox over many rows: one tab stop, moved in by keys, rendered as far as one has scrolled. */
import { html, useEffect, useRef, useState } from '/vendor/preact.js';

/** Rows rendered at first, and added when the end of those comes near. */
const ROWS_STEP = 50;
const NEAR = '1200px';

/**
 * @template T
 * @param {object} props
 * @param {string} props.id of the element that takes the focus; rows are `{id}-{idOf(item)}`
 * @param {string} props.label
 * @param {T[]} props.items to show, in order
 * @param {(item: T) => string} props.idOf
 * @param {string} props.openId
 * @param {(item: T, byKeyboard: boolean) => void} props.onOpen
 * @param {(reading: boolean) => void} props.onReading true while the order should hold still
 * @param {(item: T) => unknown} props.row what an option holds
 * @param {(item: T) => boolean} props.isFailed
 * @param {unknown} props.children below the last row
 */
export function ListBox({ id, label, items, idOf, openId, onOpen, onReading, row, isFailed, children }) {
  const [activeId, setActiveId] = useState('');
  const [limit, setLimit] = useState(ROWS_STEP);
  const box = useRef(null);
  const end = useRef(null);
  const reasons = useRef({ focus: false, scrolled: false });

  const shown = items.slice(0, limit);
  const rowId = (item) => `${id}-${idOf(item)}`;
  const active = [activeId, openId].find((wanted) => shown.some((item) => idOf(item) === wanted));
  const activeIndex = Math.max(
    0,
    shown.findIndex((item) => idOf(item) === active),
  );

  useEffect(() => {
    if (activeId !== '') document.getElementById(`${id}-${activeId}`)?.scrollIntoView({ block: 'nearest' });
  }, [activeId]);

  const hasMore = items.length > limit;
  useEffect(() => {
    if (!hasMore) return undefined;
    const observer = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && setLimit(limit + ROWS_STEP),
      { root: box.current, rootMargin: NEAR },
    );
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [limit, hasMore]);

  // A list that goes away is not being read, though no blur says so.
  useEffect(() => () => onReading(false), []);

  const note = (reason, holds) => {
    reasons.current[reason] = holds;
    onReading(Object.values(reasons.current).some(Boolean));
  };
  const move = (index) => {
    const item = items[Math.min(items.length - 1, Math.max(0, index))];
    if (item === undefined) return;
    // It may be where nothing has been rendered yet.
    setLimit((known) => Math.max(known, index + 1));
    setActiveId(idOf(item));
  };
  const onKeyDown = (event) => {
    const target = {
      ArrowDown: activeIndex + 1,
      ArrowUp: activeIndex - 1,
      PageDown: activeIndex + 8,
      PageUp: activeIndex - 8,
      Home: 0,
      End: items.length - 1,
    }[event.key];
    if (target !== undefined) move(target);
    else if ((event.key === 'Enter' || event.key === ' ') && shown[activeIndex]) {
      onOpen(shown[activeIndex], true);
    } else return;
    event.preventDefault();
  };

  return html`<div
    class="list-scroll"
    ref=${box}
    onScroll=${() => note('scrolled', box.current.scrollTop > 8)}
  >
    <div
      id=${id}
      class="list"
      role="listbox"
      aria-label=${label}
      tabindex="0"
      aria-activedescendant=${shown[activeIndex] ? rowId(shown[activeIndex]) : null}
      onKeyDown=${onKeyDown}
      onFocus=${() => note('focus', true)}
      onBlur=${() => note('focus', false)}
    >
      ${shown.map(
        (item, index) =>
          html`<div
            key=${idOf(item)}
            id=${rowId(item)}
            role="option"
            aria-posinset=${index + 1}
            aria-setsize=${items.length}
            aria-selected=${idOf(item) === openId ? 'true' : 'false'}
            class=${`option${index === activeIndex ? ' active' : ''}${isFailed(item) ? ' failed' : ''}`}
            onClick=${() => {
              setActiveId(idOf(item));
              onOpen(item, false);
            }}
          >
            ${row(item)}
          </div>`,
      )}
    </div>
    ${hasMore && html`<div ref=${end}></div>`} ${children}
  </div>`;
}
