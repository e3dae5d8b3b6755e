/**
 * One trace for the load of the document: `documentLoad` with `documentFetch` and a `resourceFetch` for each
 * resource, under the names that `@opentelemetry/instrumentation-document-load` gave them.
 *
 * @see https://www.w3.org/TR/navigation-timing-2/#processing-model
 */
import { context, SpanKind, type Tracer, trace } from '@opentelemetry/api';
import type { Stop } from '../platform/platform.js';
import { storedUrl } from './attributes.js';
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
const LOAD_EVENTS = [
  'domInteractive',
  'domContentLoadedEventStart',
  'domContentLoadedEventEnd',
  'domComplete',
  'loadEventStart',
  'loadEventEnd',
] as const;

/** Writes the spans once the page has loaded, unless stopped before. */
export function traceDocumentLoad({ tracer, platform }: PartDeps): Stop {
  const { after, isOwnRequest: isOwn } = platform;
  let stopTimer: Stop = () => {};
  // loadEventEnd is set only after the load event's listeners have run.
  const onLoad = (): void => {
    stopTimer = after(0, () => record(tracer, isOwn));
  };
  if (document.readyState === 'complete') onLoad();
  else addEventListener('load', onLoad, { once: true });
  return () => {
    removeEventListener('load', onLoad);
    stopTimer();
  };
}

function record(tracer: Tracer, isOwn: (url: string) => boolean): void {
  const [load] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  if (!load) return;
  const at = (offset: number): number => performance.timeOrigin + offset;
  const startTime = at(load.startTime);
  const root = tracer.startSpan('documentLoad', {
    startTime,
    attributes: {
      'url.full': storedUrl(location.href),
      'user_agent.original': navigator.userAgent,
      'browser.navigation.type': load.type,
    },
  });
  const parent = trace.setSpan(context.active(), root);

  const fetched = (name: string, entry: PerformanceResourceTiming, url: string): void => {
    const attributes = {
      'url.full': storedUrl(url),
      'http.response.body.size': entry.encodedBodySize,
      'browser.resource.initiator': entry.initiatorType,
      ...(entry.responseStatus ? { 'http.response.status_code': entry.responseStatus } : {}),
    };
    const span = tracer.startSpan(
      name,
      {
        kind: SpanKind.CLIENT,
        startTime: at(entry.fetchStart || entry.startTime),
        attributes,
      },
      parent,
    );
    // Cross-origin entries without Timing-Allow-Origin hold zeros.
    for (const event of FETCH_EVENTS) if (entry[event]) span.addEvent(event, at(entry[event]));
    span.end(at(entry.responseEnd || entry.fetchStart));
  };
  fetched('documentFetch', load, location.href);
  const resources = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
  for (const entry of resources.filter(({ name }) => !isOwn(name)).slice(0, MAX_RESOURCES)) {
    fetched('resourceFetch', entry, entry.name);
  }

  for (const event of LOAD_EVENTS) if (load[event]) root.addEvent(event, at(load[event]));
  for (const paint of performance.getEntriesByType('paint')) root.addEvent(paint.name, at(paint.startTime));
  root.end(at(load.loadEventEnd || performance.now()));
}
