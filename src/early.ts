/** What the stub in the page's head leaves in `window.spandrel` for whoever comes later. */

/**
 * A call, its argument, and when: milliseconds since the page began. `done` settles the promise that the page got. Last
 * the second argument, which `setFlag` alone has.
 */
export type EarlyCall = [
  name: 'start' | 'setConsent' | 'flush' | 'recordException' | 'setUser' | 'setAttributes' | 'setFlag',
  argument: unknown,
  atMillis: number,
  done: (result?: unknown) => void,
  second?: unknown,
];

/** It listens on `window` itself, capturing, until whoever takes its errors over takes it off. */
export interface Stub extends EventListenerObject {
  /** In their order, errors that nobody caught between the calls. */
  queue: (EarlyCall | ErrorEvent | PromiseRejectionEvent)[];
}
