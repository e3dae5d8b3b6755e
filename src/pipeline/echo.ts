/**
 * Recognises the spans of our own way. Functions that users hand us (`requestUploads`, `notify`, `headers`, `send`) make
 * requests, and what instruments the page traces those that it cannot tell from the page's own: after an `await` no
 * context says whose they are. To send such a span calls the functions again, and so on for ever.
 *
 * So what may be such an echo does not go by itself: it waits until something else goes, and goes with it. Nothing is
 * lost, and a page that is idle but for us falls silent. An echo is what came within a minute of such a call, is alike
 * to what has come so since the user last did something, and belongs to no activity. Its addresses may be new each
 * time, so spans are alike by name and kind.
 */
import type { ReadableSpan } from './model.js';

/** Timers of such functions run out by then; whatever comes later goes, and takes with it what has waited. */
const ECHO_MILLIS = 60_000;
/** A page that works on and on in the same way is not kept waiting for a whole blob. */
export const MAX_ECHOES = 256;
/** Names may be as many as a page likes. */
const MAX_SEEN = 1_000;

/** @param sinceTheirs milliseconds since such a call. */
export function createEchoes(sinceTheirs: () => number): (span: ReadableSpan) => boolean {
  const seen = new Set<string>();
  return ({ kind, name, attributes }) => {
    if (sinceTheirs() >= ECHO_MILLIS) return false;
    const key = `${kind} ${name}`;
    const isEcho = seen.has(key);
    // Something that a user did is new, however often it is done.
    if (attributes['spandrel.activity.type'] || seen.size > MAX_SEEN) seen.clear();
    else seen.add(key);
    return isEcho;
  };
}
