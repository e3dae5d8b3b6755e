/** What stands where there is nothing to show yet, and what to do about it. */
import { html } from '/vendor/preact.js';
import { plural } from './wording.mjs';

/** In place of the list. */
export function EmptyState({ feed, filtered, onClear }) {
  if (filtered) {
    return html`<div class="empty">
      <h2>No trace matches</h2>
      <p><button onClick=${onClear}>Clear search and filters</button></p>
    </div>`;
  }
  if (!feed?.loaded) return html`<div class="empty"><p>Reading the bucket…</p></div>`;
  return html`<div class="empty">
    <h2>The bucket is empty</h2>
    <ol>
      <li>Open <a href="/">the shop</a> in another tab.</li>
      <li>Click around: every page and every button is a trace.</li>
      <li>Come back. Traces appear here within seconds, by themselves.</li>
    </ol>
  </div>`;
}

/** In place of a trace, on wide screens. */
export function NoTraceOpen() {
  return html`<div class="empty wide">
    <img src="/icon.svg" alt="" width="72" height="72" />
    <h2>Pick a trace</h2>
    <p>
      Everything here was read straight out of the bucket: the browser put it there by presigned URL, and nothing
      stood in between.
    </p>
    <p class="keys">
      <kbd>/</kbd> search <kbd>↑</kbd><kbd>↓</kbd> move <kbd>→</kbd><kbd>←</kbd> unfold and fold
      <kbd>Enter</kbd> open <kbd>Esc</kbd> close
    </p>
  </div>`;
}

/** For a permalink whose trace has not been read. */
export function TraceNotHere({ feed, onOlder }) {
  if (!feed?.loaded || feed.queuedCount > 0) return html`<div class="empty"><p>Reading the bucket…</p></div>`;
  return html`<div class="empty">
    <h2>This trace is not here</h2>
    <p>It is in none of the ${plural(feed.objectCount, 'object')} read so far.</p>
    <p>
      ${feed.hasOlder && html`<button onClick=${onOlder}>Read older objects</button>`}
      <a href="#">Back to the list</a>
    </p>
  </div>`;
}
