import type { Stop } from '../platform/platform.js';
import type { EventSpans } from './event-spans.js';
import type { Payload } from './options.js';
import type { EventTime } from './time.js';

/** What an event of a target is to be handled as. */
export interface Told {
  name: string;
  payload?: Payload | null;
  at?: EventTime;
}

/** Under which name, or what a function says; undefined leaves the event out. */
export type EventMap = Readonly<Record<string, string | ((event: Event) => Told | undefined)>>;

/**
 * Handles the events that a target dispatches: an element, `window`, an `EventTarget` of the app's own. The payload is
 * the event's `detail`.
 *
 * @param types names of event types, which are the names they are handled under; or a map from types to names, or to
 *   functions that make of the event what is to be handled. What such a function throws is caught and counted.
 * @returns a function that ends it. Nothing happens where `target` is no event target. Never throws.
 * @example
 * const stop = fromEventTarget(spans, window, ['cart.started', 'cart.completed']);
 */
export function fromEventTarget(
  spans: EventSpans,
  target: EventTarget | null | undefined,
  types: readonly string[] | EventMap,
): Stop {
  const map: EventMap = Array.isArray(types)
    ? Object.fromEntries(types.map((type) => [type, type]))
    : (types as EventMap);
  const stops = Object.entries(map).map(([type, as]) => {
    const listener = (event: Event): void => {
      try {
        const told: Told | undefined =
          typeof as === 'string' ? { name: as, payload: (event as CustomEvent).detail } : as(event);
        if (told) spans.handle(told.name, told.payload, told.at);
      } catch {
        spans.ignore('payload');
      }
    };
    return listen(target, type, listener);
  });
  return () => {
    for (const stop of stops) stop();
  };
}

/** Listens, where that can be done. Never throws. */
export function listen(target: unknown, type: string, listener: (event: Event) => void): Stop {
  const { addEventListener, removeEventListener } = (target ?? {}) as Partial<EventTarget>;
  if (!addEventListener || !removeEventListener) return () => {};
  try {
    addEventListener.call(target as EventTarget, type, listener, { passive: true });
  } catch {
    return () => {};
  }
  return () => {
    try {
      removeEventListener.call(target as EventTarget, type, listener);
    } catch {
      // The target is a host's, and it is gone.
    }
  };
}
