/**
 * Activity spans: one page load, one route change or one interaction is one trace.
 *
 * An activity is a root span that is open while the page works on it. What starts meanwhile with no other parent
 * becomes its child. It ends when nothing of its trace has been open for 1 s (as of the last end, not of that
 * second), after 30 s, when the page hides or leaves, or when the next activity has begun and its own children
 * have ended.
 *
 * | `spandrel.activity.end` | when                                                         |
 * | ----------------------- | ------------------------------------------------------------ |
 * | `quiet`                 | nothing open for 1 s                                         |
 * | `superseded`            | another activity began, and this one's children have ended   |
 * | `timeout`               | it had gone on for 30 s                                      |
 * | `hidden`                | the page was hidden                                          |
 * | `leaving`               | the page was left                                            |
 *
 * What ends while something of it is open is marked `spandrel.interrupted` when the page leaves.
 */
import {
  type Attributes,
  type Context,
  context,
  type HrTime,
  type Link,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { PageClock } from '../platform/clock.js';
import type { PageSignal, Platform, Stop } from '../platform/platform.js';

export type ActivityKind = 'load' | 'restore' | 'route' | 'interaction';

export interface ActivityStart {
  kind: ActivityKind;
  /** The root span's name, such as `route /product/:id`. */
  name: string;
  attributes?: Attributes;
  /** A moment of {@link PageClock.now}. Default: now. */
  startedAt?: number;
  /** The server's span, which this continues. */
  parent?: SpanContext | undefined;
  links?: Link[];
  /**
   * Leaves no trace unless work follows: a child, {@link Activity.hold} or {@link Activity.become}. An event alone is
   * no work, and lost with it: who adds one holds the activity as well.
   */
  tentative?: boolean;
}

export interface Activity {
  readonly kind: ActivityKind;
  /** What it began with. */
  readonly attributes: Attributes;
  /** Stays readable after its end, for children that come late. */
  readonly root: Span;
  /** Holds the root as the active span. */
  readonly context: Context;
  /** Moments of {@link PageClock.now}; `endedAt` is undefined while it is open. */
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  /** Epoch milliseconds of a moment of {@link PageClock.now}, by the clock of its trace. */
  wall(moment: number): number;
  /** Work that is no span: it is not quiet until the result is called. */
  hold(): Stop;
  /** It was over at that moment, before anyone looked. */
  end(moment: number): void;
  /** It turns out to be something else: a click that led to a route change, say. */
  become(kind: ActivityKind, name: string, attributes?: Attributes): void;
}

export interface Activities {
  /** The one that is on. */
  readonly current: Activity | undefined;
  /** Ends the current one, as soon as its children have ended, and begins another. */
  begin(start: ActivityStart): Activity;
  /** The activity that was on at a moment of {@link PageClock.now}, of the latest 20; the one that began last. */
  at(moment: number): Activity | undefined;
  /** The same of a stretch: a frame or an interaction often begins before the click that it holds. */
  during(from: number, to: number): Activity | undefined;
  /** The active context if it has a span, else that of the current activity. */
  parent(): Context;
  /** Runs `ask` before an activity can be found quiet: what a browser has not told yet is of that activity. */
  beforeQuiet(ask: () => void): Stop;
  /** For the tracer provider: what is open decides when an activity is quiet. */
  readonly processor: {
    onStart(span: Span): void;
    onEnd(span: { spanContext(): SpanContext; readonly endTime: HrTime }): void;
  };
  /** The page hides, leaves or comes back. */
  page(signal: PageSignal): void;
  stop: Stop;
}

export interface ActivitiesDeps {
  tracer: Tracer;
  clock: PageClock;
  platform: Pick<Platform, 'after'>;
  /** Forgets a span that was started and shall not be: nothing came of it. */
  discard(span: Span): void;
}

/** Long enough for a chain of requests with scripts in between, short enough to tell one doing from the next. */
const QUIET_MILLIS = 1_000;
/** What takes longer is no answer to what the user did. */
const MAX_MILLIS = 30_000;
/** A timer that is later than this was not held up by a busy page or one in the background: the machine slept. */
const SUSPENDED_MILLIS = 5_000;
/** Timers of an idle page are less late than this. */
const BLOCKED_MILLIS = 100;
/** Web vitals and errors may ask for an activity some time after it ended. */
const REMEMBERED = 20;

interface Live extends Activity {
  kind: ActivityKind;
  endedAt: number | undefined;
  open: Set<string>;
  holds: number;
  tentative: boolean;
  superseded: boolean;
  previous: Live | undefined;
  quietSince: number;
  /** When nothing was open any more, or something else happened, last; and what has passed since. */
  newsAt: number;
  sinceNews: () => number;
  quietTimer: Stop | undefined;
  capTimer: Stop | undefined;
}

export function createActivities({ tracer, clock, platform, discard }: ActivitiesDeps): Activities {
  const live = new Map<string, Live>();
  const askers = new Set<() => void>();
  let known: Live[] = [];
  let current: Live | undefined;

  const end = (activity: Live, at: number, reason: string): void => {
    const { root, previous } = activity;
    const { traceId } = root.spanContext();
    if (live.get(traceId) !== activity) return;
    live.delete(traceId);
    activity.quietTimer?.();
    activity.capTimer?.();
    // After a sleep, the timer for the longest may come late.
    activity.endedAt = Math.min(Math.max(at, activity.startedAt), activity.startedAt + MAX_MILLIS);
    activity.previous = undefined;
    // What a tentative one was begun in front of goes on.
    if (current === activity) current = previous?.endedAt === undefined ? previous : undefined;
    if (activity.tentative) {
      known = known.filter((other) => other !== activity);
      discard(root);
      return;
    }
    root.setAttribute('spandrel.activity.end', reason);
    if (reason === 'leaving' && isBusy(activity)) root.setAttribute('spandrel.interrupted', true);
    root.end(activity.wall(activity.endedAt));
  };

  const tellLate = ({ root }: Live, late: number): void => {
    if (late > SUSPENDED_MILLIS) root.setAttribute('spandrel.suspended_millis', Math.round(late));
  };

  /** Looks when it may be quiet. What happens meanwhile sets no timer anew: most pages do much within a second. */
  const awaitQuiet = (activity: Live, millis = QUIET_MILLIS, wait = millis): void => {
    const { sinceNews } = activity;
    activity.quietTimer = platform.after(Math.max(0, wait), () => {
      activity.quietTimer = undefined;
      for (const ask of askers) ask();
      if (isBusy(activity)) return;
      if (activity.sinceNews !== sinceNews) {
        awaitQuiet(activity, QUIET_MILLIS, activity.newsAt + QUIET_MILLIS - clock.now());
        return;
      }
      const late = sinceNews() - millis;
      tellLate(activity, late);
      if (late > BLOCKED_MILLIS) {
        // The main thread was held up: observers have yet to tell by what.
        activity.sinceNews = clock.stopwatch();
        awaitQuiet(activity, BLOCKED_MILLIS);
      } else end(activity, activity.quietSince, 'quiet');
    });
  };

  const isBusy = ({ open, holds }: Live): boolean => open.size + holds > 0;

  /** Nothing is open: ends it now, or after a second without news. */
  const settle = (activity: Live): void => {
    if (activity.endedAt !== undefined || isBusy(activity)) return;
    if (activity.superseded) {
      end(activity, activity.quietSince, 'superseded');
      return;
    }
    activity.newsAt = clock.now();
    activity.sinceNews = clock.stopwatch();
    if (!activity.quietTimer) awaitQuiet(activity);
  };

  const confirm = (activity: Live): void => {
    if (!activity.tentative) return;
    activity.tentative = false;
    const { previous } = activity;
    activity.previous = undefined;
    // Another tentative one may have begun since, in front of the same.
    if (current?.tentative) current.previous = activity;
    if (previous) supersede(previous);
  };

  const supersede = (activity: Live): void => {
    activity.superseded = true;
    if (activity.previous) supersede(activity.previous);
    settle(activity);
  };

  const begin = (start: ActivityStart): Activity => {
    const { kind, name, attributes = {}, parent, links, tentative = false } = start;
    const startedAt = start.startedAt ?? clock.now();
    const wall = clock.anchor();
    const options = {
      startTime: wall(startedAt),
      attributes: { ...attributes, 'spandrel.activity.type': kind },
      ...(links ? { links } : {}),
    };
    const root = tracer.startSpan(
      name,
      options,
      parent ? trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: true }) : ROOT_CONTEXT,
    );
    const activity: Live = {
      kind,
      attributes,
      root,
      context: trace.setSpan(ROOT_CONTEXT, root),
      startedAt,
      endedAt: undefined,
      open: new Set(),
      holds: 0,
      tentative,
      superseded: false,
      previous: !tentative ? undefined : current?.tentative ? current.previous : current,
      quietSince: startedAt,
      newsAt: startedAt,
      sinceNews: () => 0,
      quietTimer: undefined,
      capTimer: undefined,
      wall,
      end: (moment) => end(activity, moment, 'quiet'),
      hold() {
        let held = true;
        activity.holds++;
        confirm(activity);
        settle(activity);
        return () => {
          if (!held) return;
          held = false;
          activity.holds--;
          activity.quietSince = clock.now();
          settle(activity);
        };
      },
      become(newKind, newName, newAttributes = {}) {
        confirm(activity);
        activity.kind = newKind;
        root.updateName(newName);
        root.setAttributes({ ...newAttributes, 'spandrel.activity.type': newKind });
        activity.quietSince = clock.now();
        settle(activity);
      },
    };
    const previous = current;
    live.set(root.spanContext().traceId, activity);
    known = [...known.slice(1 - REMEMBERED), activity];
    current = activity;
    const remaining = Math.max(0, startedAt + MAX_MILLIS - clock.now());
    const elapsed = clock.stopwatch();
    activity.capTimer = platform.after(remaining, () => {
      tellLate(activity, elapsed() - remaining);
      end(activity, startedAt + MAX_MILLIS, 'timeout');
    });
    settle(activity);
    if (previous && !tentative) supersede(previous);
    return activity;
  };

  const endAll = (reason: string): void => {
    const now = clock.now();
    for (const activity of [...live.values()].reverse()) {
      end(activity, isBusy(activity) ? now : activity.quietSince, reason);
    }
  };

  const during: Activities['during'] = (from, to) =>
    known.filter(({ startedAt, endedAt = to }) => startedAt <= to && from <= endedAt).at(-1);

  return {
    get current() {
      return current;
    },
    begin,
    at: (moment) => during(moment, moment),
    during,
    beforeQuiet(ask) {
      askers.add(ask);
      return () => askers.delete(ask);
    },
    parent() {
      const active = context.active();
      return trace.getSpan(active) || !current ? active : trace.setSpan(active, current.root);
    },
    processor: {
      onStart(span) {
        const { traceId, spanId } = span.spanContext();
        const activity = live.get(traceId);
        if (!activity) return;
        confirm(activity);
        activity.open.add(spanId);
        settle(activity);
      },
      onEnd(span) {
        const { traceId, spanId } = span.spanContext();
        const activity = live.get(traceId);
        if (!activity?.open.delete(spanId)) return;
        // What is recorded afterwards, such as a resource, was over before.
        const [seconds, nanos] = span.endTime;
        const endedAt = seconds * 1e3 + nanos / 1e6 - activity.wall(0);
        activity.quietSince = Math.max(activity.quietSince, Math.min(endedAt, clock.now()));
        settle(activity);
      },
    },
    page(signal) {
      if (signal === 'hidden') endAll('hidden');
      if (signal === 'leaving' || signal === 'cached') endAll('leaving');
    },
    stop() {
      endAll('shutdown');
      known = [];
    },
  };
}
