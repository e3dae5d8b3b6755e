import { html } from '/vendor/preact.js';
import { plural } from './wording.mjs';

/** What is being read, in words; empty when nothing was asked for. @param {import('./feed.mjs').Feed | undefined} feed */
export function describeReading(feed) {
  if (feed !== undefined && !feed.isReading) return '';
  return feed?.leftCount > 0 ? `Reading, ${plural(feed.leftCount, 'object')} left…` : 'Reading the bucket…';
}

/**
 * Reads further back, where there is anything further back.
 *
 * @param {{ feed: import('./feed.mjs').Feed | undefined, onOlder: () => void }} props
 */
export function Older({ feed, onOlder }) {
  if (feed === undefined) return null;
  if (feed.isFull) {
    return html`<p class="quiet more">The newest ${plural(feed.traces.length, 'trace')} are kept here, and no more.</p>`;
  }
  if (!feed.hasOlder) return null;
  // Not `disabled`, which would take the focus away.
  return html`<button
    class="more"
    aria-disabled=${feed.isReading ? 'true' : null}
    onClick=${() => feed.isReading || onOlder()}
  >
    ${describeReading(feed) || 'Read older objects'}
  </button>`;
}
