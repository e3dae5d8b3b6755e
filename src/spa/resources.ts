/** A span for each resource that an activity fetched, under the names of OpenTelemetry's document load. */
import { SpanKind } from '@opentelemetry/api';
import type { Stop } from '../platform/platform.js';
import type { Activity } from './activity.js';
import { known, storedUrl } from './attributes.js';
import { createQuota, observeEntries } from './observe.js';
import type { PartDeps } from './part.js';

/** Pages with thousands of resources exist; a trace of them helps nobody. */
const MAX_RESOURCES = 200;

const FETCH_EVENTS = [
  'redirectStart',
  'redirectEnd',
  'domainLookupStart',
  'domainLookupEnd',
  'connectStart',
  'secureConnectionStart',
  'connectEnd',
  'requestStart',
  'responseStart',
  'responseEnd',
] as const;

/** Initiators that have parts of their own, or whose requests are no work of the page's. */
const TRACED = /^(fetch|xmlhttprequest|beacon)$/;

/**
 * Each becomes a child of the activity in which it began. It is made when the browser tells of it, which neither a full
 * buffer nor a page that clears it prevents.
 *
 * @param all false for those of the page load alone.
 */
export function traceResources(deps: PartDeps, all: boolean): Stop {
  const { activities, clock, platform } = deps;
  const begunAt = clock.now();
  const mayHave = createQuota(MAX_RESOURCES, 'spandrel.resources.left_out');
  return observeEntries<PerformanceResourceTiming>(deps, 'resource', (entry) => {
    const { name, startTime, initiatorType } = entry;
    const activity = activities.at(startTime);
    if (!activity || (!all && activity.kind !== 'load') || platform.isOwnRequest(name)) return;
    if (startTime >= begunAt && TRACED.test(initiatorType)) return;
    if (mayHave(activity)) recordFetch(deps, 'resourceFetch', entry, name, activity);
  });
}

export function recordFetch(
  { tracer, clock }: Pick<PartDeps, 'tracer' | 'clock'>,
  name: string,
  entry: PerformanceResourceTiming,
  url: string,
  { wall, context }: Activity,
): void {
  const span = tracer.startSpan(
    name,
    {
      kind: SpanKind.CLIENT,
      startTime: wall(entry.fetchStart || entry.startTime),
      attributes: {
        'url.full': storedUrl(url),
        ...known({
          'http.response.body.size': entry.encodedBodySize,
          'browser.resource_timing.initiator_type': entry.initiatorType,
          'http.response.status_code': entry.responseStatus,
        }),
      },
    },
    context,
  );
  // Cross-origin entries without Timing-Allow-Origin hold zeros.
  for (const event of FETCH_EVENTS) if (entry[event]) span.addEvent(event, wall(entry[event]));
  // Chromium knows no end of a document that it had prefetched; one that is still coming has none.
  const { domInteractive = 0 } = entry as Partial<PerformanceNavigationTiming>;
  span.end(wall(entry.responseEnd || domInteractive || clock.now()));
}
