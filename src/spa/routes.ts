/**
 * Begins an activity for each change of route, and for each return from the bfcache.
 *
 * A route is what the page's address says: its path, the path in its fragment (`#/users/7`), or whatever else
 * changes its name. The Navigation API tells of changes; where there is none, History is wrapped.
 *
 * | what happens                                              | becomes                                       |
 * | --------------------------------------------------------- | --------------------------------------------- |
 * | a change while an interaction is on                       | that interaction's activity is now the route's |
 * | the address is replaced while a load or route is on       | a redirect: the activity is named anew        |
 * | any other change: the back button, `pushState` by a timer | a new activity                                |
 *
 * Each is linked to the load, route or return that it followed.
 *
 * @see https://html.spec.whatwg.org/multipage/nav-history-apis.html#navigation-api
 */
import type { Attributes, SpanContext } from '@opentelemetry/api';
import { ownGlobal } from '../platform/dom.js';
import { listen } from '../platform/listen.js';
import type { Stop } from '../platform/platform.js';
import type { Activity, ActivityKind } from './activity.js';
import { documentAttributes } from './attributes.js';
import { eventTime } from './interactions.js';
import type { PartDeps } from './part.js';
import { patch } from './patch.js';

interface Route {
  readonly path: string;
  readonly name: string;
}

type Change = 'push' | 'replace' | 'traverse';

/** The browser's own buttons are no interaction that we hear of: one that began longer ago led to something else. */
const BACK_MILLIS = 1_000;

/** @param scope the global object. */
export function traceRoutes(
  { activities, clock, guard, routeName }: PartDeps,
  scope: typeof globalThis = globalThis,
): Stop {
  const { location } = scope;
  const read = (): Route => {
    const { pathname, hash, href } = location;
    return { path: pathname + (/^#!?\//.test(hash) ? hash.replace(/\?.*/, '') : ''), name: routeName(href) };
  };
  let route = read();
  let followed: SpanContext | undefined = activities.current?.root.spanContext();

  const attributesOf = ({ name }: Route): Attributes => documentAttributes(location.href, name);

  const begin = (kind: ActivityKind, startedAt: number): void => {
    const links = followed ? [{ context: followed }] : [];
    const name = `${kind} ${route.name}`;
    const { root } = activities.begin({ kind, name, attributes: attributesOf(route), startedAt, links });
    followed = root.spanContext();
  };

  const changed = (change: Change): void => {
    const before = route;
    route = read();
    if (route.path === before.path && route.name === before.name) return;
    const now = clock.now();
    const { current } = activities;
    const isInteraction = current?.kind === 'interaction';
    if (!current || (isInteraction ? isLater(current, change, now) : change !== 'replace')) {
      begin('route', now);
      return;
    }
    const { root, attributes, startedAt } = current;
    let { kind } = current;
    if (isInteraction) {
      root.addEvent(String(attributes['spandrel.interaction.type']), attributes, current.wall(startedAt));
      if (followed) root.addLink({ context: followed });
      followed = root.spanContext();
      kind = 'route';
    } else root.addEvent('redirect', { 'url.template': before.name }, current.wall(now));
    current.become(kind, `${kind} ${route.name}`, attributesOf(route));
  };

  const stops: Stop[] = [];
  // Before the router's own listeners, which may fetch at once.
  const hear = <E extends Event>(target: EventTarget, type: string, listener: (event: E) => void): void =>
    void stops.push(listen(target, type, (event: E) => void guard(() => listener(event))));

  hear(scope, 'pageshow', (event: PageTransitionEvent) => {
    if (event.persisted) begin('restore', eventTime(event, clock.now()));
  });
  const navigation = ownGlobal<EventTarget>('navigation', scope);
  if (navigation) {
    hear(navigation, 'currententrychange', (event: Event & { navigationType: Change }) =>
      changed(event.navigationType),
    );
  } else {
    for (const type of ['popstate', 'hashchange']) hear(scope, type, () => changed('traverse'));
    const owner = Object.getPrototypeOf(scope.history);
    for (const change of ['push', 'replace'] as const) {
      const stop = patch<History['pushState']>(owner, `${change}State`, (original, self, args) => {
        const result = Reflect.apply(original, self, args);
        guard(() => changed(change));
        return result;
      });
      stops.push(stop);
    }
  }
  return () => {
    for (const stop of stops) guard(stop);
  };
}

const isLater = ({ startedAt }: Activity, change: Change, now: number): boolean =>
  change === 'traverse' && now - startedAt > BACK_MILLIS;
