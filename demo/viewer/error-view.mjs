/** One group of errors: how often, for whom, since when, and an example with its stack. */
import { html, useState } from '/vendor/preact.js';
import { CopyButton } from './copy-button.mjs';
import { formatHash } from './filter.mjs';
import { StackView } from './stack-view.mjs';
import { formatTime, plural, shortId } from './wording.mjs';

/** Releases and routes named one by one. */
const MAX_NAMED = 8;

/**
 * @param {object} props
 * @param {import('./error-groups.mjs').ErrorGroup} props.group
 * @param {() => void} props.onClose
 */
export function ErrorView({ group, onClose }) {
  const [index, setIndex] = useState(0);
  const { type, message, count, estimate, users, sessions, first, last, releases, routes, examples } = group;
  const at = Math.min(index, examples.length - 1);
  const { exception, trace, release, project } = examples[at];
  const { session } = trace.summary;
  return html`<article class="story error-view" id="error-view" tabindex="-1" aria-label=${`Error ${type}`}>
    <header class="story-head">
      <div class="trace-title">
        <button class="icon back" aria-label="Back to the list" onClick=${onClose}>←</button>
        <h1>${type}</h1>
        <${CopyButton} text=${() => location.href} label="Copy link" of="to this error" />
      </div>
      <p class="error-message">${message}</p>
      <dl class="error-facts">
        <div><dt>Times</dt><dd>${count.toLocaleString('en')}${estimate > count && html` <span class="quiet">about ${estimate.toLocaleString('en')} before sampling</span>`}</dd></div>
        <div><dt>Visits</dt><dd>${sessions.toLocaleString('en')}</dd></div>
        <div><dt>Users</dt><dd>${users > 0 ? users.toLocaleString('en') : 'none with an id'}</dd></div>
        <div><dt>First seen</dt><dd><time>${formatTime(first)}</time></dd></div>
        <div><dt>Last seen</dt><dd><time>${formatTime(last)}</time></dd></div>
        <div><dt>Releases</dt><dd>${listed(releases) || 'none named'}</dd></div>
        ${routes.length > 0 && html`<div><dt>Routes</dt><dd>${listed(routes)}</dd></div>`}
      </dl>
    </header>
    <section class="error-example">
      <h2>Example ${at + 1} of ${examples.length}${examples.length < count && `, of ${plural(count, 'time')}`}</h2>
      <p class="facts">
        <time>${formatTime(exception.time)}</time>
        ${release && html`<span>release ${release}</span>`}
        <a href=${formatHash({ traceId: trace.traceId, spanId: exception.spanId })}>Trace ${trace.summary.rootName}</a>
        ${
          session &&
          html`<a href=${formatHash({ view: 'sessions', sessionId: session.id })}>
            Session <code>${shortId(session.id)}</code>
          </a>`
        }
        <button aria-disabled=${at === 0 ? 'true' : null} onClick=${() => setIndex(Math.max(0, at - 1))}>Newer</button>
        <button
          aria-disabled=${at === examples.length - 1 ? 'true' : null}
          onClick=${() => setIndex(Math.min(examples.length - 1, at + 1))}
        >
          Older
        </button>
      </p>
      <p class="error-message">${exception.message}</p>
      <${StackView} project=${project} release=${release} stack=${exception.stack} readable=${exception.readable} />
    </section>
  </article>`;
}

function listed(names) {
  const told = names.slice(0, MAX_NAMED).join(', ');
  return names.length > MAX_NAMED ? `${told} and ${names.length - MAX_NAMED} more` : told;
}
