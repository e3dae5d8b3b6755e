import { createPageClock, type PageClock } from '../platform/clock.js';
import { readAttributes } from './attributes.js';
import { messageOf } from './messages.js';
import type { Key, Payload } from './options.js';
import { type EventTime, millisOf } from './time.js';

/** A port, or `self` in a worker, or a worker. */
export interface MessageTarget {
  postMessage(message: unknown): void;
}

export interface EventSenderOptions {
  /** The track of these events, where the receiver has none for them. */
  track?: Key;
}

/** The sender's half. */
export interface EventSender {
  /** As `EventSpans.handle`; true when it was sent. Never throws. */
  handle(name: string, payload?: Payload | null, at?: EventTime): boolean;
  /** Ends the track: this worker is done. Never throws. */
  end(at?: EventTime): void;
}

/** Of what a message cannot carry, this is what is sent. */
const PLAIN = { maxAttributes: 128, isSensitive: () => false };

/**
 * For workers and frames, which have no processor: sends events to where {@link fromMessages} listens, with their times.
 * What a message cannot carry of a payload (functions, elements) is left out.
 *
 * @param clock for tests.
 * @example
 * // in the worker
 * const events = sendTo(self, { track: 'search' });
 * events.handle('index.started', { id: 7 });
 */
export function sendTo(
  target: MessageTarget | null | undefined,
  { track }: EventSenderOptions = {},
  clock: PageClock = createPageClock(),
): EventSender {
  const post = (message: object): boolean => {
    try {
      if (!target) return false;
      target.postMessage(message);
      return true;
    } catch {
      return false;
    }
  };
  const timeOf = (at: EventTime | undefined): number | undefined =>
    at === undefined ? clock.wall(clock.now()) : millisOf(at);
  return {
    handle(name, payload = null, at) {
      const atMillis = timeOf(at);
      if (typeof name !== 'string' || !name || typeof payload !== 'object' || atMillis === undefined)
        return false;
      const message = (said: Payload | null): object =>
        messageOf({ kind: 'event', name, payload: said, atMillis, track });
      try {
        return (
          post(message(payload)) ||
          (payload !== null && post(message(readAttributes(payload, PLAIN).attributes)))
        );
      } catch {
        return false;
      }
    },
    end(at) {
      const atMillis = timeOf(at);
      if (atMillis !== undefined) post(messageOf({ kind: 'end', atMillis, track }));
    },
  };
}
