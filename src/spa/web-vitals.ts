/**
 * A span for each report of a web vital, in the activity that it is about.
 *
 * The attribution is our own: `web-vitals/attribution` observes resources as soon as it is imported, by pages that
 * only export as well, and is 2 kB more. What it tells is told here under the same names, but for the scripts behind an
 * INP, which stand in the trace as long frames.
 *
 * @see https://github.com/GoogleChrome/web-vitals
 */
import { type Attributes, ROOT_CONTEXT } from '@opentelemetry/api';
import {
  type CLSMetric,
  type INPMetric,
  type LCPMetric,
  type Metric,
  type MetricType,
  onCLS,
  onFCP,
  onINP,
  onLCP,
  onTTFB,
} from 'web-vitals';
import type { Stop } from '../platform/platform.js';
import type { Activity } from './activity.js';
import { documentAttributes, storedUrl } from './attributes.js';
import { observeEntries } from './observe.js';
import type { PartDeps } from './part.js';
import { selectorOf } from './selector.js';

type TargetedMetric = CLSMetric | INPMetric | LCPMetric;

const NAME = 'browser.web_vital.';
const LOAD_STATES = ['loading', 'dom-interactive', 'dom-content-loaded', 'complete'];

const navigationEntry = (): PerformanceNavigationTiming | undefined =>
  performance.getEntriesByType('navigation')[0] as PerformanceNavigationTiming | undefined;
const activationStart = (navigation = navigationEntry()): number =>
  (navigation as { activationStart?: number } | undefined)?.activationStart ?? 0;

/** Where the worst of it was. */
function worstOf(
  metric: TargetedMetric,
): { entry: PerformanceEntry; node: Node | null | undefined } | undefined {
  if (metric.name === 'CLS') {
    const [entry] = [...metric.entries].sort((a, b) => b.value - a.value);
    const nodes = entry?.sources.map(({ node }) => node);
    return entry && { entry, node: nodes?.find((node) => node?.nodeType === 1) ?? nodes?.[0] };
  }
  if (metric.name === 'INP') {
    const [entry] = metric.entries;
    return entry && { entry, node: metric.entries.find(({ target }) => target)?.target };
  }
  const entry = metric.entries.at(-1);
  return entry && { entry, node: entry.element };
}

/** What is known of it only at the time: an element may be gone when its metric is reported. */
interface Scene {
  target: string;
  /** When the first listener of an interaction's frame began, and the last had ended. */
  processed: readonly [from: number, to: number];
}

/** Durations of events are rounded to this. */
const EVENT_MILLIS = 8;
/** Below this web-vitals considers no event but the first. */
const MIN_EVENT_MILLIS = 40;
/** Many more than a frame has. */
const RECENT_EVENTS = 50;

export function traceWebVitals(deps: PartDeps): Stop {
  const { activities, clock, guard, platform, routeName, tracer } = deps;
  let stopped = false;
  const recent: PerformanceEventTiming[] = [];
  /** A click is several events, whose listeners are often those of another than the one that tells how long it took. */
  const processedOf = (entry: PerformanceEntry): Scene['processed'] => {
    const shownAt = entry.startTime + entry.duration;
    const frame = [...recent, entry as PerformanceEventTiming].filter(
      ({ startTime, duration }) => Math.abs(startTime + duration - shownAt) <= EVENT_MILLIS,
    );
    const from = Math.min(...frame.map(({ processingStart }) => processingStart));
    return [from, Math.max(...frame.map(({ processingEnd }) => processingEnd))];
  };
  const scenes = new WeakMap<PerformanceEntry, Scene>();
  const sceneOf = (metric: TargetedMetric): Scene | undefined => {
    const { entry, node } = worstOf(metric) ?? {};
    if (entry && !scenes.has(entry)) {
      scenes.set(entry, { target: selectorOf(node), processed: processedOf(entry) });
    }
    return entry && scenes.get(entry);
  };

  /** The activity of the latest navigation that was reported on, and when that began. */
  let latest: { start: number; activity: Activity } | undefined;
  const activityOf = (start: number, { navigationType }: Metric): Activity | undefined => {
    if (latest?.start === start) return latest.activity;
    const { current } = activities;
    const isRestored = navigationType === 'back-forward-cache' && current?.kind === 'restore';
    const activity = isRestored ? current : activities.at(start);
    if (activity) latest = { start, activity };
    return activity;
  };

  const record = (metric: MetricType): void => {
    const { name, value, navigationURL = location.href } = metric;
    const navigation = metric.navigationStartTime || activationStart();
    const { entry } = (name === 'CLS' || name === 'INP' ? worstOf(metric) : undefined) ?? {};
    const start = entry?.startTime ?? navigation;
    // Of an interaction each event is told of, and only the last may be the click that began an activity.
    const ends = metric.entries.map((one) => one.startTime + one.duration);
    const activity =
      (entry && activities.during(start, Math.max(start, ...ends))) ?? activityOf(navigation, metric);
    const wall = activity?.wall ?? clock.anchor();
    const attributes: Attributes = {
      [`${NAME}name`]: name.toLowerCase(),
      [`${NAME}value`]: value,
      [`${NAME}delta`]: metric.delta,
      [`${NAME}id`]: metric.id,
      [`${NAME}rating`]: metric.rating,
      [`${NAME}navigation_type`]: metric.navigationType,
      ...(activity ? {} : documentAttributes(navigationURL, routeName(navigationURL))),
    };
    for (const [key, part] of Object.entries(attributionOf(metric, sceneOf))) {
      // An element that is gone has no selector.
      if (part !== undefined && part !== '') attributes[`spandrel.web_vital.${key}`] = part;
    }
    tracer
      .startSpan(
        `web-vital ${name}`,
        { startTime: wall(start), attributes },
        activity?.context ?? ROOT_CONTEXT,
      )
      .end(wall(name === 'CLS' ? start : start + value));
  };

  // The listeners of web-vitals cannot be taken back: they stay, and tell nobody.
  const report = (metric: MetricType): void =>
    void guard(() => {
      if (stopped) return;
      // It is reported as the page is shown, when the activity for that may have yet to begin.
      if (metric.name === 'TTFB' && metric.navigationType === 'back-forward-cache') {
        platform.after(0, () => record(metric));
      } else record(metric);
    });
  const remember = (metric: TargetedMetric): void => void guard(() => stopped || sceneOf(metric));
  // A page that has taken this away would hear of it in each listener of web-vitals.
  performance.getEntriesByType('navigation');
  for (const on of [onTTFB, onFCP, onLCP, onCLS, onINP]) {
    guard(() => on(report, { reportSoftNavs: true }));
  }
  for (const on of [onLCP, onCLS, onINP]) {
    guard(() => on(remember, { reportSoftNavs: true, reportAllChanges: true }));
  }
  const stop = PerformanceObserver.supportedEntryTypes.includes('event')
    ? observeEntries<PerformanceEventTiming>(
        deps,
        'event',
        (entry) => recent.push(entry) > RECENT_EVENTS && recent.shift(),
        { durationThreshold: MIN_EVENT_MILLIS },
      )
    : undefined;
  return () => {
    stopped = true;
    stop?.();
  };
}

function attributionOf(
  metric: MetricType,
  sceneOf: (metric: TargetedMetric) => Scene | undefined,
): Attributes {
  const { name, value, entries } = metric;
  const navigation = navigationEntry();
  const shownAt = activationStart(navigation);
  const sinceShown = (moment: number): number => Math.max(0, moment - shownAt);
  const isHard = entries.length > 0 && metric.navigationType !== 'soft-navigation';
  const firstByte = navigation && isHard ? sinceShown(navigation.responseStart) : 0;
  const stateAt = (moment: number): string => {
    const next = navigation
      ? [navigation.domInteractive, navigation.domContentLoadedEventStart, navigation.domComplete]
      : [];
    const state = next.findIndex((reachedAt) => !reachedAt || moment < reachedAt);
    return LOAD_STATES.at(state) as string;
  };
  if (name === 'TTFB') {
    if (!navigation || !isHard) return {};
    const { workerStart, fetchStart, domainLookupStart, connectStart, connectEnd } = navigation;
    const steps = [workerStart || fetchStart, domainLookupStart, connectStart, connectEnd].map(sinceShown);
    const [waited = 0, lookedUp = 0, connecting = 0, connected = 0] = steps;
    return {
      waiting_duration: waited,
      cache_duration: lookedUp - waited,
      dns_duration: connecting - lookedUp,
      connection_duration: connected - connecting,
      request_duration: value - connected,
    };
  }
  if (name === 'FCP') {
    const state = stateAt(entries[0]?.startTime ?? metric.navigationStartTime ?? 0);
    return { time_to_first_byte: firstByte, first_byte_to_fcp: value - firstByte, load_state: state };
  }
  const { target = '', processed = [0, 0] } = sceneOf(metric) ?? {};
  if (name === 'CLS') {
    const { entry } = worstOf(metric) ?? {};
    if (!entry) return {};
    const { startTime, value: shift } = entry as LayoutShift;
    return {
      largest_shift_target: target,
      largest_shift_time: startTime,
      largest_shift_value: shift,
      load_state: stateAt(startTime),
    };
  }
  if (name === 'INP') {
    const [entry] = entries;
    if (!entry) return {};
    const { startTime, duration } = entry;
    // A listener of another event may have been at it before; and a dialog may keep one longer than the paint took.
    const from = Math.max(startTime, processed[0]);
    const paint = Math.max(startTime + duration, from);
    const to = Math.min(paint, processed[1]);
    return {
      interaction_target: target,
      interaction_type: entry.name.startsWith('key') ? 'keyboard' : 'pointer',
      input_delay: from - startTime,
      processing_duration: to - from,
      presentation_delay: paint - to,
      load_state: stateAt(startTime),
    };
  }
  const entry = entries.at(-1);
  const url = entry?.url;
  const resource = url
    ? (performance.getEntriesByType('resource') as PerformanceResourceTiming[])
        .filter(
          ({ name, requestStart, startTime }) =>
            name === url && (requestStart || startTime) <= (entry?.startTime ?? 0),
        )
        .at(-1)
    : undefined;
  const from = metric.navigationType === 'soft-navigation' ? (metric.navigationStartTime ?? 0) : shownAt;
  const requested = Math.max(firstByte, resource ? (resource.requestStart || resource.startTime) - from : 0);
  const loaded = Math.min(value, Math.max(requested, resource ? resource.responseEnd - from : 0));
  return {
    target,
    url: url ? storedUrl(url) : undefined,
    time_to_first_byte: firstByte,
    // Of a resource that the browser tells nothing of nobody knows when it was loaded.
    ...((resource || !url) && {
      resource_load_delay: requested - firstByte,
      resource_load_duration: loaded - requested,
      element_render_delay: value - loaded,
    }),
  };
}
