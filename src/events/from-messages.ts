import type { Stop } from '../platform/platform.js';
import type { EventSpans } from './event-spans.js';
import { listen } from './from-event-target.js';
import { parseMessage } from './messages.js';
import type { Key } from './options.js';

export interface MessageSourceOptions {
  /** The track of all that comes this way, whatever the sender says. Default: what the sender says, else `worker`. */
  track?: Key;
  /**
   * Origins of other windows that are listened to. Default: none. Messages of workers and ports, and of windows of this
   * origin, are always taken.
   */
  origins?: readonly string[];
}

/**
 * Handles what {@link sendTo} sends: from a worker, or through a port, a channel or a window. Other messages are left
 * alone. A port must be started by its owner (`port.start()`), as ports are.
 *
 * Messages are checked: they come from outside. A time that is yet to come, by our clock, becomes now.
 *
 * @param source the worker or the port; inside a worker or a frame, `self`.
 * @returns a function that ends it; where `track` is given, that track with it. Nothing happens where `source` is no
 *   event target. Never throws.
 */
export function fromMessages(
  spans: EventSpans,
  source: EventTarget | null | undefined,
  { track, origins = [] }: MessageSourceOptions = {},
): Stop {
  const stop = listen(source, 'message', (event) => {
    try {
      const { data, origin } = event as MessageEvent;
      const message = parseMessage(data);
      if (message === null) return;
      if (!message || !isTrusted(origin, origins)) {
        spans.ignore('message');
        return;
      }
      const at = Math.min(message.atMillis, spans.now());
      const on = track ?? message.track ?? 'worker';
      if (message.kind === 'end') spans.endTrack(on, at);
      else spans.handleOn(on, message.name, message.payload, at);
    } catch {
      spans.ignore('message');
    }
  });
  return () => {
    stop();
    if (track !== undefined) spans.endTrack(track);
  };
}

/**
 * Workers and ports say no origin. All sandboxed frames say `null`, which therefore stands for nobody.
 *
 * @param own the origin of this window or worker.
 */
export function isTrusted(
  origin: unknown,
  origins: readonly string[],
  own: unknown = (globalThis as { origin?: string }).origin,
): boolean {
  if (!origin || origins.includes(origin as string)) return true;
  return origin !== 'null' && origin === own;
}
