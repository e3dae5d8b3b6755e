/** What could not be read, counted: never a blank page, never silence. */
import { html } from '/vendor/preact.js';
import { plural } from './wording.mjs';

/** Failures named one by one. */
const MAX_NAMED = 20;

/** @param {{ feed: import('./feed.mjs').Feed | undefined, onRetry: () => void }} props */
export function Notices({ feed, onRetry }) {
  if (feed === undefined) return null;
  const { failures, skippedSpans, listError } = feed;
  if (failures.length === 0 && skippedSpans === 0 && listError === '') return null;
  const retryable = listError !== '' || failures.some(({ kind }) => kind === 'unreachable');
  return html`<div class="notices">
    ${listError && html`<p role="alert">The bucket cannot be listed: ${listError}.</p>`}
    ${
      failures.length > 0 &&
      html`<details>
        <summary>${plural(failures.length, 'object')} could not be shown</summary>
        <ul>
          ${failures
            .slice(0, MAX_NAMED)
            .map(
              ({ key, kind, reason }) =>
                html`<li key=${key}><code>${key}</code> <span class="quiet">${kind}: ${reason.slice(0, 300)}</span></li>`,
            )}
        </ul>
        ${failures.length > MAX_NAMED && html`<p class="quiet">and ${failures.length - MAX_NAMED} more</p>`}
      </details>`
    }
    ${skippedSpans > 0 && html`<p>${plural(skippedSpans, 'span')} without usable ids left out.</p>`}
    ${retryable && html`<button class="more" onClick=${onRetry}>Try again</button>`}
  </div>`;
}
