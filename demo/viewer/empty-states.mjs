/** What stands where there is nothing to show yet, and what to do about it. */
import { html } from '/vendor/preact.js';
import { ABOUT } from './about.mjs';
import { describeReading, Older } from './older.mjs';
import { plural } from './wording.mjs';

/** In place of the list. */
export function EmptyState({ feed, filtered, sessions, errors, onClear, onOlder }) {
  if (!feed?.settled) return html`<div class="empty"><p>${describeReading(feed)}</p></div>`;
  const older = html`<${Older} feed=${feed} onOlder=${onOlder} />`;
  if (filtered) {
    return html`<div class="empty">
      <h2>No trace matches</h2>
      <p>Of those in the ${plural(feed.objectCount, 'object')} read so far.</p>
      <p><button onClick=${onClear}>Clear search and filters</button></p>
      ${older}
    </div>`;
  }
  const isEmpty = feed.traces.length === 0;
  if (sessions && !isEmpty && feed.hasOlder) {
    return html`<div class="empty"><h2>No trace read so far names a session</h2>${older}</div>`;
  }
  if (errors && !isEmpty) {
    return html`<div class="empty">
      <h2>No error</h2>
      <p>In the ${plural(feed.objectCount, 'object')} read so far no page has told of one.</p>
      ${older}
    </div>`;
  }
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
export function NothingOpen({ noun, isEmpty }) {
  return html`<div class="empty wide">
    <img src="/icon.svg" alt="" width="72" height="72" />
    <h2>${isEmpty ? `No ${noun} so far` : `Pick ${noun === 'error' ? 'an' : 'a'} ${noun}`}</h2>
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
export function NotHere({ feed, noun, back = '#sessions', onOlder }) {
  if (!feed?.settled) return html`<div class="empty"><p>${describeReading(feed)}</p></div>`;
  return html`<div class="empty">
    <h2>This ${noun} is not here</h2>
    <p>It is in none of the ${plural(feed.objectCount, 'object')} read so far.</p>
    <${Older} feed=${feed} onOlder=${onOlder} />
    <p>
      <a href=${back}>Back to the list</a>
    </p>
  </div>`;
}
