/**
 * For an inline script in the page's head: keeps calls and errors for the file, asks for it, and tells the endpoint
 * once when it does not come.
 *
 * With `data-src` on its own tag it inserts the file's tag, giving it every attribute that it has itself; without, it
 * waits for the one that the page has written, which is the way under `require-trusted-types-for`. The whole is a
 * block: it leaves one global, and needs no function around it. Every byte is in every page: no constants with names.
 */
import type { Stub } from './early.js';

declare let spandrel: unknown;

if (!('spandrel' in self)) {
  const tag = document.currentScript as HTMLScriptElement;
  let { src, project, endpoint } = tag.dataset;
  const queue: Stub['queue'] = [];
  const tell = (): void => {
    try {
      if (endpoint && spandrel === stub)
        navigator.sendBeacon(endpoint, JSON.stringify({ v: 1, project, lost: { 'script-failed': 1 } }));
    } catch {
      // The address is none, or there are no beacons.
    }
    endpoint = '';
  };
  const stub: Stub & Record<string, unknown> = {
    queue,
    handleEvent(event) {
      if (event.target !== self) (event.target as HTMLElement).dataset?.['endpoint'] && tell();
      // 20 are enough for whatever one fault makes of a page's first second.
      else if (!queue[19]) queue.push(event as ErrorEvent);
    },
  };
  for (const name of ['start', 'setConsent', 'flush', 'recordException'] as const) {
    stub[name] = (argument: unknown) =>
      new Promise((done) => queue[99] || queue.push([name, argument, performance.now(), done]));
  }
  for (const type of ['error', 'unhandledrejection']) addEventListener(type, stub, true);
  (self as { spandrel?: unknown }).spandrel = stub;
  // Nobody waits longer for a file that will come.
  setTimeout(tell, 30_000);
  if (src) {
    const script = document.createElement('script');
    for (const one of tag.attributes) script.setAttribute(one.name, one.value);
    script.src = src;
    script.nonce = tag.nonce;
    tag.after(script);
  }
}
