/**
 * A span for each frame or task that kept the main thread too long: 50 ms, by their definition. Our own scripts are
 * named like any others, so that whoever looks for the culprit is not misled.
 *
 * @see https://w3c.github.io/long-animation-frames/
 */
import { ROOT_CONTEXT } from '@opentelemetry/api';
import type { Stop } from '../platform/platform.js';
import { documentAttributes, storedUrl } from './attributes.js';
import { createQuota, observeEntries } from './observe.js';
import type { PartDeps } from './part.js';

interface Script {
  readonly invoker: string;
  readonly sourceURL: string;
  readonly sourceFunctionName: string;
  readonly duration: number;
}

/** `long-animation-frame`, or `longtask`, which has no more than `duration`. */
interface LongFrame extends PerformanceEntry {
  readonly blockingDuration?: number;
  readonly scripts?: readonly Script[];
}

const MAX_PER_ACTIVITY = 50;
/** A page that does nothing for its user and blocks all the same is worth a trace, but not one for each frame. */
const MIN_ALONE_MILLIS = 200;
const MAX_ALONE_PER_MINUTE = 10;
const MINUTE = 60_000;
/** A task blocks from here on. */
const LONG_MILLIS = 50;

export function traceLongFrames(deps: PartDeps): Stop {
  const { activities, clock, routeName, tracer } = deps;
  const mayHave = createQuota(MAX_PER_ACTIVITY, 'spandrel.long_frames.left_out');
  let minute = 0;
  let alone = 0;
  const mayStandAlone = (moment: number, blockingMillis: number): boolean => {
    if (blockingMillis < MIN_ALONE_MILLIS) return false;
    const current = Math.floor(moment / MINUTE);
    if (current !== minute) alone = 0;
    minute = current;
    return ++alone <= MAX_ALONE_PER_MINUTE;
  };

  const type = ['long-animation-frame', 'longtask'].find((name) =>
    PerformanceObserver.supportedEntryTypes.includes(name),
  );
  if (!type) return () => {};
  return observeEntries<LongFrame>(deps, type, ({ startTime, duration, blockingDuration, scripts }) => {
    const blockingMillis = blockingDuration ?? duration - LONG_MILLIS;
    const activity = activities.during(startTime, startTime + duration);
    if (activity ? !mayHave(activity) : !mayStandAlone(startTime, blockingMillis)) return;
    const wall = activity?.wall ?? clock.anchor();
    const attributes = {
      'spandrel.long_frame.blocking_millis': blockingMillis,
      'spandrel.long_frame.scripts': [...(scripts ?? [])]
        .sort((a, b) => b.duration - a.duration)
        .slice(0, 3)
        .map(describe),
      ...(activity ? {} : documentAttributes(location.href, routeName(location.href))),
    };
    tracer
      .startSpan(type, { startTime: wall(startTime), attributes }, activity?.context ?? ROOT_CONTEXT)
      .end(wall(startTime + duration));
  });
}

/** Such as `BUTTON#buy.onclick, buy in https://shop.example/app.js, 120 ms`. */
function describe({ invoker, sourceURL, sourceFunctionName, duration }: Script): string {
  const source = sourceURL && storedUrl(sourceURL);
  // An invoker may be or hold an address: of the script, or as in `IMG[src=/a?b=c].onload`.
  const by = invoker.replace(/^\w+:\/\/.*|(?<=\[src=)[^\]]*/, (url) => storedUrl(url).slice(0, 200));
  const where = [sourceFunctionName, by !== source && source].filter(Boolean).join(' in ');
  return [by, where, `${Math.round(duration)} ms`].filter(Boolean).join(', ');
}
