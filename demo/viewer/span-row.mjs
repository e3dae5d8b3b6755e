/** One line of the waterfall. */
import { html } from '/vendor/preact.js';
import { findAttribute } from './any-value.mjs';
import { Clipped } from './clipped.mjs';
import { SpanKindIcon } from './kind-icon.mjs';
import { readVital } from './page-facts.mjs';
import { addressOf, BLOCKING, labelOf } from './span-label.mjs';
import { formatDuration, placeInstant, placeSpan } from './timeline.mjs';
import { plural } from './wording.mjs';

/** Deeper spans are not indented further, or their names would leave the column. */
const MAX_INDENT_LEVELS = 14;
/** Ticks drawn on one bar; the details list them all. */
const MAX_EVENT_TICKS = 40;

/** DOM id of a span's row. */
export const rowId = (spanId) => `span-${spanId}`;

export function SpanRow({ row, index, top, axis, colours, repeated, active, selected, onToggle, onPick }) {
  const { node, expanded } = row;
  const { span, children } = node;
  const place = placeSpan(span, axis);
  const failed = span.status.code === 'error';
  const classes = ['span-row', active && 'active', selected && 'selected', failed && 'failed'];
  const hidden = expanded ? 0 : node.descendantCount;
  const url = addressOf(span.attributes);
  const vital = readVital(span);
  const label = labelOf(span, vital, repeated);
  return html`<div
    id=${rowId(span.spanId)}
    role="row"
    class=${classes.filter(Boolean).join(' ')}
    aria-level=${node.depth + 1}
    aria-posinset=${row.position}
    aria-setsize=${row.siblingCount}
    aria-rowindex=${index + 1}
    aria-selected=${selected ? 'true' : 'false'}
    aria-expanded=${children.length > 0 ? String(expanded) : null}
    style=${{ top: `${top}px` }}
    onClick=${onPick}
  >
    <div role="gridcell" class="span-name" style=${{ '--level': Math.min(node.depth, MAX_INDENT_LEVELS) }}>
      ${
        children.length > 0
          ? html`<button
              class="twist"
              tabindex="-1"
              aria-label=${`${expanded ? 'Collapse' : 'Expand'} ${span.name}`}
              onClick=${(event) => {
                event.stopPropagation();
                onToggle();
              }}
            >
              ${expanded ? '▾' : '▸'}
            </button>`
          : html`<span class="twist"></span>`
      }
      ${failed && html`<span class="fail-mark" role="img" aria-label="Error">!</span>`}
      ${colours.byService && node.entersService && html`<${ServiceBadge} span=${span} colours=${colours} />`}
      <${SpanKindIcon} kind=${span.kind} />
      <span class="span-label" title=${`${span.name}\n${url}`}>
        ${
          label.before &&
          html`<${Clipped} text=${`${label.before} `} tail=${1} also=${label.isShort ? 'quiet whole' : 'quiet constant'} />`
        }
        <${Clipped} text=${label.main} />
        ${label.after && html`<${Clipped} text=${` ${label.after}`} also="quiet constant" />`}
      </span>
      ${hidden > 0 && html`<span class="badge">+${hidden}</span>`}
    </div>
    <div role="gridcell" class="span-track">
      <div
        class=${`bar ${barColour(span, vital, colours)}${place.note ? ' doubtful' : ''}`}
        style=${{ left: `${place.left}%`, width: `${place.width}%` }}
      ></div>
      ${span.events
        .slice(0, MAX_EVENT_TICKS)
        .map((event) => event.time !== undefined && html`<${EventTick} event=${event} axis=${axis} />`)}
    </div>
    <div role="gridcell" class="span-duration">${place.note || formatDuration(place.nanos)}</div>
  </div>`;
}

function barColour(span, vital, colours) {
  if (vital?.rating) return vital.rating;
  return findAttribute(span.attributes, BLOCKING) ? 'frame' : `hue-${colours.hueOf(span)}`;
}

function ServiceBadge({ span, colours }) {
  const { serviceName } = span.resource;
  return html`<span class="service" title=${serviceName}>
    <i class=${`swatch hue-${colours.hueOf(span)}`}></i><span class="badge">${serviceName}</span>
  </span>`;
}

function EventTick({ event, axis }) {
  return html`<i
    class=${event.name === 'exception' ? 'event exception' : 'event'}
    title=${event.name}
    style=${{ left: `${placeInstant(event.time, axis)}%` }}
  ></i>`;
}

/** Stands above the spans whose parents are not among the trace's spans. */
export function OrphanNote({ count, top, height }) {
  return html`<div class="orphan-note" role="row" style=${{ top: `${top}px`, height: `${height}px` }}>
    <div role="gridcell">
      Missing parent: ${plural(count, 'span')} below ${count === 1 ? 'names a parent that is' : 'name parents that are'} not
      here
    </div>
  </div>`;
}
