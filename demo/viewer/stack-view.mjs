/** A stack as one reads it: places in the sources with their lines, or what the browser wrote and why there is no more. */
import { html, useEffect, useState } from '/vendor/preact.js';
import { ABOUT } from './about.mjs';
import { askStacks, resolvedOf, useAnswers } from './stacks.mjs';

/**
 * @param {object} props
 * @param {string} props.project
 * @param {string} props.release
 * @param {string} props.stack as the browser wrote it
 * @param {string} props.readable shown where it cannot be resolved here
 */
export function StackView({ project, release, stack, readable }) {
  const [isRaw, setRaw] = useState(false);
  useAnswers();
  const question = { project, release, stack };
  useEffect(() => askStacks([question]), [project, release, stack]);
  const resolved = resolvedOf(question);
  if (stack === '') return html`<p class="quiet">It has no stack.</p>`;
  if (!resolved?.isResolved) {
    return html`<pre class="stack-raw">${readable}</pre>
      ${ABOUT.maps && readable === stack && html`<p class="quiet stack-why">${whyOf(resolved, release)}</p>`}`;
  }
  const firstOwn = resolved.lines.findIndex(({ place }) => place?.isOwn);
  return html`<div class="stack">
    ${
      isRaw
        ? html`<pre class="stack-raw">${stack}</pre>`
        : html`<ol class="frames">
            ${resolved.lines.map((line, index) => html`<${Line} line=${line} isOpen=${index === firstOwn} />`)}
          </ol>`
    }
    <button class="more" onClick=${() => setRaw(!isRaw)}>
      ${isRaw ? 'As the sources say it' : 'As the browser wrote it'}
    </button>
  </div>`;
}

function whyOf(resolved, release) {
  if (release === '')
    return 'It has no release, so that no source maps are known for it: start({ version }).';
  if (resolved === undefined) return 'Looking for source maps…';
  const why = resolved.lines.find((line) => line.why)?.why;
  return why ? `As the browser wrote it: ${why}.` : 'As the browser wrote it.';
}

function Line({ line, isOpen }) {
  const { text, frame, place, called, why } = line;
  if (text.trim() === '') return null;
  if (!frame) return html`<li class="frame-head">${text}</li>`;
  if (!place) return html`<li class="stack-frame quiet" title=${why ?? ''}><code>${text.trim()}</code></li>`;
  const where = html`<code>${called || '(anonymous)'}</code>
    <span class="frame-place">${place.source}:${place.line}:${place.column}</span>`;
  if (!place.context) return html`<li class=${place.isOwn ? 'stack-frame own' : 'stack-frame'}>${where}</li>`;
  const { first, lines } = place.context;
  return html`<li class=${place.isOwn ? 'stack-frame own' : 'stack-frame'}>
    <details open=${isOpen}>
      <summary>${where}</summary>
      <pre class="frame-source" tabindex="0" role="region" aria-label=${`${place.source}, line ${place.line}`}>${lines.map(
        (code, index) =>
          html`<span class=${first + index === place.line ? 'at' : ''}><i>${first + index}</i>${code || ' '}${'\n'}</span>`,
      )}</pre>
    </details>
  </li>`;
}
