/**
 * Begins a tentative activity for each thing that the user does, so that what follows of it is one trace, and nothing
 * is left of a click that led to nothing.
 *
 * | event     | counts                                                                             |
 * | --------- | ---------------------------------------------------------------------------------- |
 * | `click`   | always; browsers make one for the keyboard on buttons and links as well            |
 * | `keydown` | Enter and the space bar, where no click follows and nothing is typed with them      |
 * | `submit`  | where neither came before it                                                       |
 * | `change`  | of selects, files and ranges: what is typed changes when the user has gone elsewhere |
 *
 * Only what the user did (`isTrusted`), and nothing that was typed or is shown: a target is named by attributes that
 * developers write.
 */
import type { PageOptions } from '../page-options.js';
import { listen } from '../platform/listen.js';
import type { Stop } from '../platform/platform.js';
import { untraced } from '../platform/untraced.js';
import { documentAttributes } from './attributes.js';
import type { PartDeps } from './part.js';
import { isId } from './route-name.js';

const TYPES = ['pointerdown', 'keydown', 'click', 'submit', 'change'];
/** Events of one gesture come in one task, or soon after: Enter is a `keydown`, a `click` and a `submit`. */
const GESTURE_MILLIS = 100;
/** Older than this, and the event's clock is not ours. */
const MAX_AGE_MILLIS = 10_000;
const MAX_CHARACTERS = 50;

const CONTROLS = /^(a|button|input|label|option|select|summary|textarea)$/;
const ROLES =
  /^(button|checkbox|combobox|gridcell|link|menuitem\w*|option|radio|slider|switch|tab|treeitem)$/;
/** Where Enter and the space bar make a click, or are text. */
const CLICKED_BY_KEY = /^(a|button|label|option|select|summary|textarea)$/;
const CHANGES = /^(file|range|select)/;

/** @param scope the global object. */
export function traceInteractions(
  { activities, clock, platform, guard, routeName }: PartDeps,
  scope: typeof globalThis = globalThis,
  ignore: PageOptions['ignoreInteraction'] = () => false,
): Stop {
  const { location } = scope;
  // Not the element's own: a form's fields can hide its methods and properties.
  const { getAttribute } = scope.Element.prototype;
  const read: ReadAttribute = (element, name) => getAttribute.call(element, name) ?? '';
  const isElement = (target: EventTarget): target is Element => {
    try {
      return read(target as Element, 'id') !== undefined;
    } catch {
      return false;
    }
  };
  let endGesture: Stop | undefined;

  const on = (event: Event): void => {
    const { type } = event;
    if (!event.isTrusted) return;
    if (type === 'pointerdown' || type === 'keydown') {
      endGesture?.();
      endGesture = undefined;
    }
    const target = targetOf(event.composedPath().filter(isElement), read);
    if (endGesture || !target || !counts(event, target)) return;
    if (guard(() => untraced(() => ignore(type, target))) === true) return;
    endGesture = platform.after(GESTURE_MILLIS, () => {
      endGesture = undefined;
    });
    const name = nameOf(target, read);
    activities.begin({
      kind: 'interaction',
      name: `${type} ${name}`,
      startedAt: eventTime(event, clock.now()),
      tentative: true,
      attributes: {
        'spandrel.interaction.type': type,
        'spandrel.interaction.target': name,
        ...documentAttributes(location.href, routeName(location.href)),
      },
    });
  };

  const stops = TYPES.map((type) => listen(scope, type, (event) => void guard(() => on(event))));
  return () => {
    endGesture?.();
    for (const stop of stops) stop();
  };
}

/** When it happened, by the page's clock; now, where its own says something impossible. */
export function eventTime({ timeStamp }: Event, now: number): number {
  return timeStamp > 0 && timeStamp <= now && now - timeStamp < MAX_AGE_MILLIS ? timeStamp : now;
}

function counts(event: Event, target: Element): boolean {
  switch (event.type) {
    case 'pointerdown':
      return false;
    case 'keydown': {
      const { key, repeat, isComposing } = event as KeyboardEvent;
      const isKey = key === 'Enter' || (key === ' ' && tagOf(target) !== 'input');
      const isText = (target as HTMLElement).isContentEditable === true;
      return isKey && !repeat && !isComposing && !isText && !CLICKED_BY_KEY.test(tagOf(target));
    }
    case 'change':
      return CHANGES.test((target as HTMLInputElement).type);
    default:
      return true;
  }
}

type ReadAttribute = (element: Element, name: string) => string;

const tagOf = ({ localName }: Element): string => (typeof localName === 'string' ? localName : 'form');

/** The nearest control around what was hit, through open shadow roots; else the innermost element. */
function targetOf(elements: Element[], read: ReadAttribute): Element | undefined {
  const isControl = (element: Element): boolean =>
    CONTROLS.test(tagOf(element)) ||
    ROLES.test(read(element, 'role')) ||
    read(element, 'data-spandrel') !== '';
  return elements.find(isControl) ?? elements[0];
}

function nameOf(element: Element, read: ReadAttribute): string {
  const own = read(element, 'data-spandrel');
  if (own) return own.slice(0, MAX_CHARACTERS);
  const tag = tagOf(element);
  const named = (attribute: string, before: string, after = ''): string | undefined => {
    const [value = ''] = read(element, attribute).trim().split(/\s/);
    // Digits tell one of a list from the next.
    const kept = value.slice(0, MAX_CHARACTERS).replace(/\d+/g, '*');
    return value && !isId(value) ? tag + before + kept + after : undefined;
  };
  return (
    named('id', '#') ??
    named('data-testid', '[data-testid=', ']') ??
    named('name', '[name=', ']') ??
    named('class', '.') ??
    tag
  );
}
