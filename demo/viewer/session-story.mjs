/** One session as a story: what the visitor did, in order, and what came of it. */
import { html, useState } from '/vendor/preact.js';
import { CopyButton } from './copy-button.mjs';
import { formatHash } from './filter.mjs';
import { KindIcon } from './kind-icon.mjs';
import { worstVitals } from './page-facts.mjs';
import { formatDuration } from './timeline.mjs';
import { VitalChips } from './vital-chips.mjs';
import {
  describeEnd,
  describeOdds,
  describeVexation,
  formatTime,
  hasLength,
  pathOnly,
  plural,
  shortId,
  shortUser,
} from './wording.mjs';

/** Entries rendered at once; "Show more" adds as many again. */
const ENTRIES_STEP = 200;
/** A longer pause is told. */
const PAUSE_NANOS = 30_000_000_000n;
/** Errors written out of one trace. */
const MAX_ERRORS = 3;

/**
 * @param {object} props
 * @param {import('./sessions.mjs').Session} props.session
 * @param {boolean} props.knowsPrevious whether the session before has been read
 * @param {(traceId: string) => void} props.onOpen
 * @param {() => void} props.onClose
 */
export function SessionStory({ session, knowsPrevious, onOpen, onClose }) {
  const [limit, setLimit] = useState(ENTRIES_STEP);
  const { id, start, duration, traces, activityCount, errorCount, services, vitals, users } = session;
  const shown = traces.slice(0, limit);
  const title = `Session of ${formatTime(start)}`;
  return html`<article class="story" aria-label=${title}>
    <header class="story-head">
      <div class="trace-title">
        <button class="icon back" aria-label="Back to the list" onClick=${onClose}>←</button>
        <h1>${title}</h1>
        <${CopyButton} text=${() => location.href} label="Copy link" of="to this session" />
      </div>
      <p class="facts">
        <span><b>${formatDuration(duration)}</b></span>
        <span>${plural(traces.length, 'trace')}</span>
        ${activityCount < traces.length && html`<span>${plural(activityCount, 'activity')}</span>`}
        ${errorCount > 0 && html`<span class="badge error">${plural(errorCount, 'error')}</span>`}
        <span>${services.join(', ')}</span>
        ${users.length > 0 && html`<span>${users.map(shortUser).join(', ')}</span>`}
        <code>${id}</code>
      </p>
      ${vitals.length > 0 && html`<p class="facts"><span>Worst</span> <${VitalChips} vitals=${vitals} /></p>`}
      <${Neighbours} session=${session} knowsPrevious=${knowsPrevious} />
    </header>
    <ol class="story-list">
      ${shown.map(
        (trace, index) =>
          html`<${Entry}
            key=${trace.traceId}
            trace=${trace}
            sessionId=${id}
            start=${start}
            pause=${pauseBefore(shown, index)}
            onOpen=${onOpen}
          />`,
      )}
    </ol>
    ${
      traces.length > limit &&
      html`<button class="more" onClick=${() => setLimit(limit + ENTRIES_STEP)}>
        Show more (${traces.length - limit} left)
      </button>`
    }
  </article>`;
}

function Neighbours({ session: { previousId, nextId }, knowsPrevious }) {
  if (previousId === '' && nextId === '') return null;
  const link = (sessionId, words) =>
    html`<a href=${formatHash({ view: 'sessions', sessionId })}>${words} <code>${shortId(sessionId)}</code></a>`;
  return html`<p class="facts">
    ${
      previousId !== '' &&
      (knowsPrevious
        ? link(previousId, '← The visit before')
        : html`<span>The visit before, <code>${shortId(previousId)}</code>, has not been read</span>`)
    }
    ${nextId !== '' && link(nextId, 'The next visit →')}
  </p>`;
}

function Entry({ trace, sessionId, start, pause, onOpen }) {
  const { traceId, summary } = trace;
  const { kind, interaction, exceptions, vexations, flags } = summary;
  const end = describeEnd(summary.ended);
  const open = (event) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    onOpen(traceId);
  };
  return html`<li class=${summary.errorCount > 0 ? 'entry failed' : 'entry'}>
    ${pause !== undefined && html`<p class="pause">${formatDuration(pause)} later</p>`}
    <div class="entry-line">
      <time title=${formatTime(summary.start)}>${formatOffset(summary.start, start)}</time>
      <${KindIcon} kind=${kind} />
      <div class="entry-body">
        <p class="entry-title">
          <a
            id=${`story-${traceId}`}
            href=${formatHash({ view: 'sessions', sessionId, traceId })}
            onClick=${open}
            >${summary.rootName}</a
          >
          ${hasLength(summary) && html`<span class="option-duration">${formatDuration(summary.duration)}</span>`}
          ${summary.probability < 1 && html`<span class="badge">${describeOdds(summary)}</span>`}
          ${end && html`<span class="badge">${end}</span>`}
        </p>
        <p class="quiet entry-page">
          ${kind === 'route' && interaction && html`by ${interaction.type} on ${interaction.target} · `}
          ${summary.partNames && `${summary.partNames} · `}
          ${plural(summary.spanCount, 'span')}${summary.pageUrl && ` · ${pathOnly(summary.pageUrl)}`}
        </p>
        ${exceptions
          .slice(0, MAX_ERRORS)
          .map(
            ({ type, message }) => html`<p class="entry-error"><b>${type}</b> ${message.slice(0, 300)}</p>`,
          )}
        ${exceptions.length > MAX_ERRORS && html`<p class="quiet">and ${exceptions.length - MAX_ERRORS} more</p>`}
        ${vexations.map((vexation) => html`<p class="entry-vexed">${describeVexation(vexation)}</p>`)}
        ${
          flags.length > 0 &&
          html`<p class="quiet entry-page">with ${flags.map(([flag, variant]) => `${flag}: ${variant}`).join(', ')}</p>`
        }
        <${VitalChips} vitals=${worstVitals(summary.vitals)} />
      </div>
    </div>
  </li>`;
}

/** @param {bigint | undefined} time @param {bigint | undefined} start */
function formatOffset(time, start) {
  if (time === undefined || start === undefined) return '';
  return time === start ? 'start' : `+${formatDuration(time - start)}`;
}

function pauseBefore(traces, index) {
  const [before, now] = [traces[index - 1]?.summary, traces[index].summary];
  if (before?.start === undefined || now.start === undefined) return undefined;
  const pause = now.start - before.start - before.duration;
  return pause > PAUSE_NANOS ? pause : undefined;
}
