/**
 * Recognises the traces of our own way. Functions that users hand us (`requestUploads`, `notify`, `headers`, `send`)
 * make requests, and what instruments the page traces those that it cannot tell from the page's own: after
 * an `await` no context says whose they are. To send such a trace calls the functions again, and so on for ever.
 *
 * So what may be such an echo does not go by itself: it waits until something else goes, and goes with it. Nothing is
 * lost, and a page that is idle but for us falls silent. An echo is what came within a minute of such a call, is alike
 * to what has come so since the user last did something, and belongs to no activity. Its addresses may be new each
 * time, so spans are alike by name and kind.
 */
import type { SpanGroup } from './model.js';

/** Timers of such functions run out by then; whatever comes later goes, and takes with it what has waited. */
const ECHO_MILLIS = 60_000;
/** A page that works on and on in the same way is not kept waiting for a whole part. */
const MAX_HELD_SPANS = 256;

/** @returns whether groups are to wait, which make the spans that wait so many. */
export type IsEcho = (groups: readonly SpanGroup[], spanCount: number) => boolean;

/** @param sinceTheirs milliseconds since such a call. */
export function createEchoes(sinceTheirs: () => number): IsEcho {
  let seen = new Set<string>();
  return (groups, spanCount) => {
    if (sinceTheirs() >= ECHO_MILLIS || spanCount > MAX_HELD_SPANS) return false;
    let isEcho = true;
    for (const span of groups.flatMap((group) => group.spans)) {
      const name = `${span?.kind} ${span?.name}`;
      isEcho &&= seen.has(name);
      // Something that a user did is new, however often it is done.
      if (span?.attributes?.['spandrel.activity.type']) seen = new Set();
      else seen.add(name);
    }
    return isEcho;
  };
}
