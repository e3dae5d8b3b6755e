/** The side of the errors: one row for each group. */
import { html } from '/vendor/preact.js';
import { Clipped } from './clipped.mjs';
import { EmptyState } from './empty-states.mjs';
import { ListBox } from './list-box.mjs';
import { ListHead } from './list-head.mjs';
import { Notices } from './notices.mjs';
import { Older } from './older.mjs';
import { formatTime, plural } from './wording.mjs';

/**
 * @param {object} props
 * @param {import('./feed.mjs').Feed | undefined} props.feed
 * @param {import('./error-groups.mjs').ErrorGroup[]} props.groups
 * @param {string} props.openId
 * @param {(id: string, byKeyboard: boolean) => void} props.onOpen
 * @param {() => void} props.onOlder
 * @param {() => void} props.onRetry
 */
export function ErrorSide({ feed, groups, openId, onOpen, onOlder, onRetry }) {
  return html`<nav class="side" aria-label="Errors">
    <${ListHead} feed=${feed} newCount=${0} noun="error" onReveal=${() => undefined}>
      ${plural(groups.length, 'error')}
    <//>
    <${Notices} feed=${feed} onRetry=${onRetry} />
    ${
      groups.length > 0
        ? html`<${ListBox}
            id="error-list"
            label="Errors, those of most visits first"
            items=${groups}
            idOf=${({ id }) => id}
            openId=${openId}
            onOpen=${({ id }, byKeyboard) => onOpen(id, byKeyboard)}
            onReading=${() => undefined}
            isFailed=${() => true}
            row=${(group) => html`<${ErrorRow} group=${group} />`}
          >
            <${Older} feed=${feed} onOlder=${onOlder} />
          <//>`
        : html`<${EmptyState} feed=${feed} errors onOlder=${onOlder} />`
    }
  </nav>`;
}

function ErrorRow({ group }) {
  const { type, message, place, count, sessions, last } = group;
  return html`<div class="option-line">
      <span class="option-name"><${Clipped} text=${message || type} /></span>
      <span class="option-duration">${count.toLocaleString('en')}×</span>
    </div>
    <div class="option-line option-facts">
      <span>${type}</span>
      <span>${plural(sessions, 'visit')}</span>
      <span class="option-time">${formatTime(last)}</span>
    </div>
    <div class="option-line option-last"><${Clipped} text=${place || 'no place of its own code'} /></div>`;
}
