/** The trace as it lies in the bucket: its own share of each object, and which objects those are. */
import { html, useMemo, useState } from '/vendor/preact.js';
import { CopyButton } from './copy-button.mjs';
import { toRequest } from './parse-otlp.mjs';
import { formatBytes } from './timeline.mjs';
import { formatMillis } from './wording.mjs';

/** Characters rendered before "Show all". */
const CHARS_AT_FIRST = 150_000;

/** @param {{ trace: import('./traces.mjs').Trace }} props */
export function RawOtlp({ trace }) {
  return html`<div class="raw" role="tabpanel" id="panel-raw" aria-labelledby="tab-raw">
    ${trace.parts.map((part) => html`<${Part} key=${part.key} part=${part} />`)}
  </div>`;
}

function Part({ part }) {
  const [all, setAll] = useState(false);
  const json = useMemo(() => prettyJson(toRequest(part.resourceSpans)), [part]);
  const shown = all ? json : json.slice(0, CHARS_AT_FIRST);
  return html`<section class="raw-part">
    <header>
      <code class="object-key">${part.key}</code>
      <p class="quiet">
        ${formatBytes(part.size)} of gzip in the bucket, stored ${formatMillis(part.uploadedAt)}. Below: this
        trace's share.
      </p>
      <p>
        <${CopyButton} text=${json} label="Copy JSON" of="of this object" />
        <${CopyButton} text=${part.key} label="Copy key" of="of this object" />
      </p>
    </header>
    <pre tabindex="0" aria-label="OTLP JSON">${shown}</pre>
    ${
      shown.length < json.length &&
      html`<button class="more" onClick=${() => setAll(true)}>
        Show all ${json.length.toLocaleString('en')} characters
      </button>`
    }
  </section>`;
}

// JSON nested deeper than the stack cannot be written back.
function prettyJson(value) {
  try {
    return JSON.stringify(value, null, 2);
  } catch {
    return '(nested too deeply to be shown)';
  }
}
