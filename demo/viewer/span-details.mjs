/** Everything that one span says. */
import { html } from '/vendor/preact.js';
import { findAttribute } from './any-value.mjs';
import { AttributeTable, LongText } from './attribute-table.mjs';
import { CopyButton } from './copy-button.mjs';
import { readVital, stackOf } from './page-facts.mjs';
import { StackView } from './stack-view.mjs';
import { formatDuration, placeSpan } from './timeline.mjs';
import { VitalChip } from './vital-chips.mjs';
import { formatTime, plural } from './wording.mjs';

/** Events and links shown; more are counted. */
const MAX_LISTED = 200;

/**
 * @param {object} props
 * @param {import('./parse-otlp.mjs').Span} props.span
 * @param {{ start: bigint, duration: bigint }} props.axis of its trace
 * @param {string} props.project whose maps resolve its stacks
 * @param {string} props.parentName empty when the parent is not here
 * @param {(spanId: string) => void} props.onSelect opens another span of the trace
 * @param {() => void} props.onClose
 */
export function SpanDetails({ span, axis, project, parentName, onSelect, onClose }) {
  const place = placeSpan(span, axis);
  const start = span.start ?? span.end;
  const vital = readVital(span);
  return html`<aside id="span-details" class="details" tabindex="-1" aria-label=${`Span ${span.name}`}>
    <header class="details-head">
      <h2>${span.name}</h2>
      <button class="icon" aria-label="Close span details" onClick=${onClose}>✕</button>
    </header>
    <p class="facts">
      <${Status} status=${span.status} />
      <span class="badge">${span.kind}</span>
      <span>${span.resource.serviceName}</span>
      ${vital && html`<${VitalChip} vital=${vital} />`}
      <span><b>${place.note || formatDuration(place.nanos)}</b></span>
      ${start !== undefined && html`<span>starts at +${formatDuration(start - axis.start)}</span>`}
      <time>${formatTime(start)}</time>
    </p>
    ${
      findAttribute(span.attributes, 'spandrel.clock.frozen') === 'true' &&
      html`<p class="quiet">The clock of this runtime stands still between I/O: what only computes took 0 ms here.</p>`
    }
    ${span.status.message && html`<p class="status-message"><${LongText} text=${span.status.message} /></p>`}
    <${Section} title="Attributes" count=${span.attributes.length} dropped=${span.dropped.attributes}>
      <${AttributeTable} attributes=${span.attributes} empty="None." />
    <//>
    ${
      span.events.length + span.dropped.events > 0 &&
      html`<${Section} title="Events" count=${span.events.length} dropped=${span.dropped.events}>
        ${span.events.slice(0, MAX_LISTED).map((event) => html`<${Event} event=${event} start=${start} span=${span} project=${project} />`)}
        ${span.events.length > MAX_LISTED && html`<p class="quiet">The first ${MAX_LISTED} are shown.</p>`}
      <//>`
    }
    ${
      span.links.length + span.dropped.links > 0 &&
      html`<${Section} title="Links" count=${span.links.length} dropped=${span.dropped.links}>
        ${span.links.slice(0, MAX_LISTED).map((link) => html`<${Link} link=${link} />`)}
        ${span.links.length > MAX_LISTED && html`<p class="quiet">The first ${MAX_LISTED} are shown.</p>`}
      <//>`
    }
    <${Section} title="Identity">
      <dl class="identity">
        <dt>Span id</dt>
        <dd><code>${span.spanId}</code> <${CopyButton} text=${span.spanId} label="Copy" of="span id" /></dd>
        <dt>Parent</dt>
        <dd>
          ${
            parentName !== ''
              ? html`<button class="link" onClick=${() => onSelect(span.parentSpanId)}>${parentName}</button>`
              : span.parentSpanId === ''
                ? 'none, this is a root'
                : html`<code>${span.parentSpanId}</code> (not read so far)`
          }
        </dd>
        <dt>Trace id</dt>
        <dd><code>${span.traceId}</code></dd>
        <dt>Trace state</dt>
        <dd>${span.traceState ? html`<code>${span.traceState}</code>` : 'none'}</dd>
        <dt>Flags</dt>
        <dd><code>0x${span.flags.toString(16).padStart(2, '0')}</code></dd>
      </dl>
    <//>
    <${Section} title="Scope">
      <p>${span.scope.name || '(no name)'} <span class="quiet">${span.scope.version}</span></p>
      <${AttributeTable} attributes=${span.scope.attributes} />
      ${span.scope.schemaUrl && html`<p class="quiet">Schema: ${span.scope.schemaUrl}</p>`}
    <//>
    <${Section} title="Resource" count=${span.resource.attributes.length}>
      <${AttributeTable} attributes=${span.resource.attributes} empty="None." />
      ${span.resource.schemaUrl && html`<p class="quiet">Schema: ${span.resource.schemaUrl}</p>`}
    <//>
  </aside>`;
}

function Section({ title, count, dropped, children }) {
  return html`<section class="details-section">
    <h3>
      ${title} ${count !== undefined && html`<span class="count">${count}</span>`}
      ${dropped > 0 && html`<span class="badge error">${dropped} dropped by the SDK's limits</span>`}
    </h3>
    ${children}
  </section>`;
}

function Status({ status }) {
  const [mark, words] = { error: ['!', 'Error'], ok: ['✓', 'OK'], unset: ['·', 'Status unset'] }[status.code];
  return html`<span class=${`badge ${status.code}`}><span aria-hidden="true">${mark}</span> ${words}</span>`;
}

/**
 * @param {object} props
 * @param {import('./parse-otlp.mjs').Span['events'][number]} props.event
 * @param {bigint | undefined} props.start
 * @param {import('./parse-otlp.mjs').Span} props.span whose it is
 * @param {string} props.project
 */
function Event({ event, start, span, project }) {
  const { stack, readable } = stackOf(event.name === 'exception' ? event.attributes : []);
  const rest =
    stack === ''
      ? event.attributes
      : event.attributes.filter(({ key }) => !key.startsWith('exception.stacktrace'));
  const release = findAttribute(span.resource.attributes, 'service.version') ?? '';
  const offset = event.time !== undefined && start !== undefined ? event.time - start : undefined;
  return html`<div class=${event.name === 'exception' ? 'event-entry exception' : 'event-entry'}>
    <p>
      <b>${event.name}</b>${' '}
      <span class="quiet">${offset === undefined ? 'no time' : `+${formatDuration(offset)}`}</span>
      ${event.droppedAttributes > 0 && html`<span class="badge">${plural(event.droppedAttributes, 'attribute')} dropped</span>`}
    </p>
    <${AttributeTable} attributes=${rest} />
    ${stack && html`<${StackView} project=${project} release=${release} stack=${stack} readable=${readable} />`}
  </div>`;
}

function Link({ link }) {
  return html`<div class="event-entry">
    <p>
      ${
        link.traceId
          ? html`<a href=${`#trace=${link.traceId}${link.spanId ? `&span=${link.spanId}` : ''}`}>
              <code>${link.traceId.slice(0, 8)}…</code> span <code>${link.spanId || '?'}</code>
            </a>`
          : 'unusable ids'
      }
      ${link.traceState && html` <code>${link.traceState}</code>`}
    </p>
    <${AttributeTable} attributes=${link.attributes} />
  </div>`;
}
