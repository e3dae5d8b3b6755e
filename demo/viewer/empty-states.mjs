/** What stands where there is nothing to show yet, and what to do about it. */
import { html } from '/vendor/preact.js';
import { ABOUT } from './about.mjs';
import { plural } from './wording.mjs';

/** In place of the list. */
export function EmptyState({ feed, filtered, sessions, onClear }) {
  if (filtered) {
    return html`<div class="empty">
      <h2>No trace matches</h2>
      <p><button onClick=${onClear}>Clear search and filters</button></p>
    </div>`;
  }
  if (!feed?.loaded) return html`<div class="empty"><p>Reading the bucket…</p></div>`;
  const isEmpty = feed.traces.length === 0;
  return html`<div class="empty">
    <h2>${sessions && !isEmpty ? 'No trace here names a session' : ABOUT.source ? 'Nothing here yet' : 'The bucket is empty'}</h2>
    ${
      ABOUT.shopUrl
        ? html`<ol>
            <li>Open <a href=${ABOUT.shopUrl}>the shop</a> in another tab.</li>
            <li>
              Agree to be measured, and click around: every page and every click that leads to something is a trace.
            </li>
            <li>Come back. What you did appears here within seconds, by itself.</li>
          </ol>`
        : html`<p>What is stored in ${ABOUT.source} appears here within seconds, by itself.</p>`
    }
  </div>`;
}

/** In place of a trace or session, on wide screens. */
export function NothingOpen({ noun }) {
  return html`<div class="empty wide">
    <img src="/icon.svg" alt="" width="72" height="72" />
    <h2>Pick a ${noun}</h2>
    ${
      ABOUT.shopUrl
        ? html`<p>
            Everything here was read straight out of the bucket: the browser put its part there by presigned URL, the
            Worker by its binding, and nothing stood in between.
          </p>`
        : html`<p>Everything here was read straight out of ${ABOUT.source}.</p>`
    }
    <p class="keys">
      ${noun === 'trace' && html`<kbd>/</kbd> search`} <kbd>↑</kbd><kbd>↓</kbd> move <kbd>→</kbd><kbd>←</kbd> unfold and
      fold <kbd>Enter</kbd> open <kbd>Esc</kbd> close
    </p>
  </div>`;
}

/** For a permalink to what has not been read. */
export function NotHere({ feed, noun, onOlder }) {
  if (!feed?.loaded || feed.queuedCount > 0) return html`<div class="empty"><p>Reading the bucket…</p></div>`;
  return html`<div class="empty">
    <h2>This ${noun} is not here</h2>
    <p>It is in none of the ${plural(feed.objectCount, 'object')} read so far.</p>
    <p>
      ${feed.hasOlder && html`<button onClick=${onOlder}>Read older objects</button>`}
      <a href=${noun === 'session' ? '#sessions' : '#'}>Back to the list</a>
    </p>
  </div>`;
}
