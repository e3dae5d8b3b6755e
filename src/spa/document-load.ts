/**
 * The activity of the page load, with a span for the fetch of the document; `resources.ts` adds the resources.
 *
 * Our own rather than `@opentelemetry/instrumentation-document-load`: that one makes a trace of its own after the load
 * event, so that what the page fetches meanwhile is elsewhere; makes a span for each resource there is, be they ten
 * thousand, our uploads included, and for none after the load event (opentelemetry-js-contrib issues 2284 and 668);
 * writes addresses with all that they hold; and says nothing of a page that is left before it has loaded.
 *
 * @see https://www.w3.org/TR/navigation-timing-2/#processing-model
 */
import { ofDocument } from '../platform/dom.js';
import { listen } from '../platform/listen.js';
import type { Stop } from '../platform/platform.js';
import { documentAttributes } from './attributes.js';
import type { PartDeps } from './part.js';
import { serverParent } from './propagation.js';
import { recordFetch } from './resources.js';

const LOAD_EVENTS = [
  'domInteractive',
  'domContentLoadedEventStart',
  'domContentLoadedEventEnd',
  'domComplete',
  'loadEventStart',
  'loadEventEnd',
] as const;

/** Who starts us later than this after the load event finds the load over. */
const OVER_MILLIS = 1_000;

export function traceDocumentLoad(deps: PartDeps): Stop {
  const { activities, clock, guard, onPage, platform, routeName } = deps;
  const stops: Stop[] = [];
  const hear = (type: string, task: () => void): void =>
    void stops.push(listen(globalThis, type, () => void guard(task)));
  const stop = (): void => {
    for (const end of stops.splice(0)) end();
  };
  const entriesOf = (type: string): PerformanceEntryList =>
    guard(() => performance.getEntriesByType(type)) ?? [];

  const begin = (): void => {
    stop();
    const [navigation] = entriesOf('navigation') as (PerformanceNavigationTiming & {
      activationStart?: number;
    })[];
    // What was prerendered began for its user when it was shown.
    const startedAt = navigation?.activationStart ?? 0;
    const route = routeName(location.href);
    const load = activities.begin({
      kind: 'load',
      name: `load ${route}`,
      startedAt,
      parent: guard(serverParent),
      attributes: {
        ...documentAttributes(location.href, route),
        'browser.navigation_timing.type': navigation?.type,
      },
    });
    const release = load.hold();

    const record = (): void => {
      stop();
      if (navigation && !startedAt) recordFetch(deps, 'documentFetch', navigation, location.href, load);
      const event = (name: string, moment = 0): void => {
        if (moment > startedAt) load.root.addEvent(name, load.wall(moment));
      };
      for (const name of LOAD_EVENTS) event(name, navigation?.[name]);
      for (const { name, startTime } of entriesOf('paint')) event(name, startTime);
      release();
    };
    const { loadEventEnd = 0 } = navigation ?? {};
    if (loadEventEnd && clock.now() - loadEventEnd > OVER_MILLIS) {
      record();
      load.end(loadEventEnd);
      return;
    }
    // loadEventEnd is set only after the load event's listeners have run.
    const onLoad = (): void => void stops.push(platform.after(0, record));
    if (ofDocument('readyState') === 'complete') onLoad();
    else hear('load', onLoad);
    // Last words, before the activity ends.
    stops.push(onPage((signal) => signal !== 'visible' && signal !== 'unloading' && record()));
  };

  if (ofDocument('prerendering' as keyof Document)) hear('prerenderingchange', begin);
  else begin();
  return stop;
}
