/** The side of the sessions: one row for each visit. */
import { html } from '/vendor/preact.js';
import { EmptyState } from './empty-states.mjs';
import { ListBox } from './list-box.mjs';
import { ListHead } from './list-head.mjs';
import { Notices } from './notices.mjs';
import { Older } from './older.mjs';
import { formatDuration } from './timeline.mjs';
import { useHeld } from './use-held.mjs';
import { CORE_VITALS, VitalChips } from './vital-chips.mjs';
import { formatTime, plural, shortId } from './wording.mjs';

const idOf = ({ id }) => id;

/**
 * @param {object} props
 * @param {import('./feed.mjs').Feed | undefined} props.feed
 * @param {import('./sessions.mjs').Session[]} props.sessions
 * @param {string} props.openId
 * @param {(sessionId: string, byKeyboard: boolean) => void} props.onOpen
 * @param {() => void} props.onOlder
 * @param {() => void} props.onRetry
 */
export function SessionSide({ feed, sessions, openId, onOpen, onOlder, onRetry }) {
  const held = useHeld(sessions, (session) => session, undefined);
  const { shown } = held;
  return html`<nav class="side" aria-label="Sessions" ...${held.pointing}>
    <${ListHead} feed=${feed} newCount=${held.waiting.length} noun="session" onReveal=${held.reveal}>
      ${plural(sessions.length, 'session')}
    <//>
    <${Notices} feed=${feed} onRetry=${onRetry} />
    ${
      shown.length > 0
        ? html`<${ListBox}
            id="session-list"
            label="Sessions, newest first"
            items=${shown}
            idOf=${idOf}
            openId=${openId}
            onOpen=${({ id }, byKeyboard) => onOpen(id, byKeyboard)}
            onReading=${held.setReading}
            isFailed=${({ errorCount }) => errorCount > 0}
            row=${(session) => html`<${SessionRow} session=${session} />`}
          >
            <${Older} feed=${feed} onOlder=${onOlder} />
          <//>`
        : html`<${EmptyState} feed=${feed} sessions onOlder=${onOlder} />`
    }
  </nav>`;
}

function SessionRow({ session }) {
  const { id, start, duration, traces, activityCount, errorCount, services, vitals } = session;
  return html`<div class="option-line">
      <span class="option-name">${formatTime(start)}</span>
      <span class="option-duration">${formatDuration(duration)}</span>
    </div>
    <div class="option-line option-facts">
      <span>${services.join(', ')}</span>
      <span>${activityCount > 0 ? plural(activityCount, 'activity') : plural(traces.length, 'trace')}</span>
      ${errorCount > 0 && html`<span class="badge error">${plural(errorCount, 'error')}</span>`}
    </div>
    <div class="option-line option-last">
      <code>${shortId(id)}</code>
      <${VitalChips} vitals=${vitals.filter(({ name }) => CORE_VITALS.includes(name))} />
    </div>`;
}
