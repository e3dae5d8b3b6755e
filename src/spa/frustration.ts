/**
 * Clicks that vex: an event on the interaction's activity while that is open; afterwards on a span of its own, which is a
 * trace of its own where the click has led to nothing that would have left one.
 *
 * | event                 | when                                                                                    |
 * | --------------------- | --------------------------------------------------------------------------------------- |
 * | `spandrel.rage_click` | three clicks on one target within a second; one event for all that follow as fast        |
 * | `spandrel.dead_click` | a click on what looks clickable, and for two seconds there is no request, mutation,      |
 * |                       | navigation, scroll, change of focus, or anything else that browsers tell of              |
 *
 * Only what begins an activity is looked at (`ignoreInteraction`), and no field, label or player, which the browser
 * itself answers. When in doubt a click is not dead: whatever changes on the page within the two seconds counts, by
 * whomever, but for what lies in a timer, marquee or log (by `role`) or in an element with `data-spandrel-live`.
 * What changes within another component's shadow tree alone, or is only painted, is not seen.
 */
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { ofNode } from '../platform/dom.js';
import { listen } from '../platform/listen.js';
import type { Stop } from '../platform/platform.js';
import type { Activity } from './activity.js';
import { observeEntries } from './observe.js';
import type { PartDeps } from './part.js';

const RAGE_CLICKS = 3;
const RAGE_MILLIS = 1_000;
/** Hands move a little. */
const RAGE_PIXELS = 30;
const DEAD_MILLIS = 2_000;
const UNSEEN = /^(beacon|other)$/;
/** Types of nodes. */
const ELEMENT = 1;
const TEXT = 3;
const SHADOW_ROOT = 11;
/** A timer that is later than this was held up, by a dialog for instance. */
const HELD_UP_MILLIS = 1_000;

const LOOKS_CLICKABLE =
  'a[href],button,summary,[type=button],[type=submit],[type=reset],[type=image],[role=button],[role=link],[role=tab],[role=menuitem],[onclick]';
/** What the browser itself answers, within the page or outside it. */
const ANSWERED =
  'input:not([type=button],[type=submit],[type=reset],[type=image]),select,textarea,label,option,video,audio,[contenteditable],a[download],a[target],[href^="mailto:"],[href^="tel:"],[href^="sms:"],[href^="blob:"]';
/** What changes by itself, whatever the user does: a mutation within it answers no click. */
const CHANGES_BY_ITSELF = '[role=timer],[role=marquee],[role=log],[data-spandrel-live]';
const REACTIONS = [
  ...['scroll', 'focusin', 'blur', 'input', 'change', 'toggle', 'play', 'pause', 'copy', 'submit', 'reset'],
  ...['hashchange', 'popstate', 'fullscreenchange'],
];

/** Clicks on one target, each within a second of the one before. */
interface Burst {
  /** Of the latest. */
  activity: Activity;
  times: number[];
  x: number;
  y: number;
  /** Where the page was. */
  href: string;
  looksClickable: boolean;
  /** Three clicks on plain text choose its paragraph. */
  isText: boolean;
  /** What was selected: a click on a button leaves that as it is. */
  selected: unknown[];
  /** Something has happened since the first. */
  isAnswered: boolean;
  isRage: boolean;
  isTold: boolean;
  stops: Stop[];
}

/** @param scope the global object. */
export function traceFrustration(deps: PartDeps, scope: typeof globalThis = globalThis): Stop {
  const { activities, clock, guard, onPage, platform, tracer } = deps;
  // Not the element's own, which a form's fields can hide.
  const { closest, matches } = scope.HTMLElement.prototype;
  const nodesOf = (event: Event, type: number): Element[] =>
    event
      .composedPath()
      .filter((node) => node !== scope && ofNode('nodeType', node as Node) === type) as Element[];
  const isAny = (path: Element[], selector: string): boolean =>
    path.some((element) => matches.call(element, selector));
  const selection = (): unknown[] => {
    const now = scope.getSelection();
    return !now || now.isCollapsed ? [] : [now.anchorNode, now.anchorOffset, now.focusNode, now.focusOffset];
  };
  const isSelecting = ({ selected }: Burst): boolean => selection().some((part, at) => part !== selected[at]);
  let burst: Burst | undefined;

  /** Events on the root, or on a span that stands for the click. */
  const tell = ({ activity, times }: Burst, names: string[]): void => {
    const at = times[0] as number;
    const isOpen = activity.endedAt === undefined;
    const isKnown = activities.at(activity.startedAt) === activity;
    const wall = isKnown ? activity.wall : clock.anchor();
    const span = isOpen
      ? activity.root
      : tracer.startSpan(
          (activity.root as { name?: string }).name ?? 'click',
          {
            startTime: wall(at),
            attributes: {
              ...activity.attributes,
              ...(!isKnown && { 'spandrel.activity.type': 'interaction' }),
            },
          },
          isKnown ? activity.context : ROOT_CONTEXT,
        );
    for (const name of names) span.addEvent(name, { 'spandrel.click.count': times.length }, wall(at));
    // What was begun on trial has led to something.
    if (isOpen) activity.hold()();
    else span.end(wall(times.at(-1) ?? at));
  };

  const end = (isOver: boolean): void => {
    if (!burst) return;
    const ended = burst;
    burst = undefined;
    for (const stop of ended.stops) stop();
    const { activity, times, href, looksClickable, isAnswered, isRage, isTold } = ended;
    const isLate = clock.now() - (times.at(-1) as number) > DEAD_MILLIS + HELD_UP_MILLIS;
    // One that was no trial, or not for long, has led to work.
    const hasWorked = activity.endedAt === undefined || activities.at(activity.startedAt) === activity;
    const isDead =
      isOver &&
      looksClickable &&
      !(isAnswered || isLate || hasWorked || isSelecting(ended) || scope.location.href !== href);
    const names = [isRage && !isTold && 'spandrel.rage_click', isDead && 'spandrel.dead_click'];
    const due = names.filter((name) => name !== false);
    if (due.length) tell(ended, due);
  };
  const answered = (): void => {
    if (burst) burst.isAnswered = true;
  };

  const begin = (event: MouseEvent, activity: Activity, path: Element[]): Burst => {
    const { clientX: x, clientY: y } = event;
    const observer = new MutationObserver((records) => {
      const isOfItself = ({ target }: MutationRecord): boolean => {
        const element = ofNode('nodeType', target) === ELEMENT ? target : ofNode('parentElement', target);
        return !!element && closest.call(element as Element, CHANGES_BY_ITSELF) !== null;
      };
      if (records.every(isOfItself)) return;
      answered();
      // The page may change much and long.
      observer.disconnect();
    });
    for (const root of [scope.document, ...nodesOf(event, SHADOW_ROOT)]) {
      observer.observe(root, { subtree: true, childList: true, attributes: true, characterData: true });
    }
    const [hit] = path as [Element];
    const looksClickable = isAny(path, LOOKS_CLICKABLE) || scope.getComputedStyle(hit).cursor === 'pointer';
    const hasText = [...ofNode('childNodes', hit)].some(
      (node) => node.nodeType === TEXT && node.nodeValue?.trim(),
    );
    return {
      ...{ activity, x, y, times: [], href: scope.location.href },
      ...{ looksClickable, isText: hasText && !looksClickable },
      selected: selection(),
      ...{ isAnswered: false, isRage: false, isTold: false },
      stops: [() => observer.disconnect(), ...REACTIONS.map((type) => listen(scope, type, answered))],
    };
  };

  const isSame = ({ activity, x, y, times }: Burst, event: MouseEvent, other: Activity): boolean =>
    event.timeStamp - (times.at(-1) as number) <= RAGE_MILLIS &&
    Math.hypot(event.clientX - x, event.clientY - y) <= RAGE_PIXELS &&
    Object.values(activity.attributes).join() === Object.values(other.attributes).join();

  const click = (event: MouseEvent): void => {
    const { current } = activities;
    const isOwn = current?.kind === 'interaction' && Math.abs(current.startedAt - event.timeStamp) < 1;
    if (!event.isTrusted || !isOwn || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)
      return;
    const path = nodesOf(event, ELEMENT);
    const isAnswered = isAny(path, ANSWERED);
    if (isAnswered || !burst || !isSame(burst, event, current)) end(false);
    if (isAnswered) return;
    burst ??= begin(event, current, path);
    const now = burst;
    now.activity = current;
    const third = now.times.at(1 - RAGE_CLICKS) ?? Number.NEGATIVE_INFINITY;
    now.times.push(event.timeStamp);
    if (event.timeStamp - third <= RAGE_MILLIS && !now.isText && !isSelecting(now)) now.isRage = true;
    // What nothing has answered yet may be dead as well.
    if (now.isRage && now.isAnswered && !now.isTold) {
      now.isTold = true;
      tell(now, ['spandrel.rage_click']);
    }
    const stop = platform.after(DEAD_MILLIS, () => {
      if (burst === now && event.timeStamp === now.times.at(-1)) guard(() => end(true));
    });
    now.stops.push(stop);
  };

  const stops = [
    listen(scope, 'click', (event: MouseEvent) => void guard(() => click(event))),
    onPage(() => end(false)),
    observeEntries<PerformanceResourceTiming>(deps, 'resource', ({ startTime, name, initiatorType }) => {
      if (!burst || startTime < (burst.times[0] as number)) return;
      // Of a beacon no user sees anything: it may tell of this very click. Firefox does not name it.
      if (!UNSEEN.test(initiatorType) && !platform.isOwnRequest(name)) answered();
    }),
  ];
  return () => {
    for (const stop of burst?.stops ?? []) stop();
    burst = undefined;
    for (const stop of stops) stop();
  };
}
