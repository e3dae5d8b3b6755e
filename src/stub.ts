/**
 * For an inline script in the page's head: keeps calls and errors for the file, asks for it, and tells the endpoint
 * once when it does not come; not without the user's consent.
 *
 * With `data-src` on its own tag it inserts the file's tag, giving it every attribute that it has itself; without, it
 * waits for the one that the page has written, which is the way under `require-trusted-types-for`. It leaves one
 * global: declared, so that an element of that name is none. Every byte is in every page: no constants with names.
 */
import type { EarlyCall, Stub } from './early.js';

/** What this file leaves, and what it finds where it is twice. */
declare const spandrel: unknown;

const make = (
  tag: HTMLScriptElement,
  { src, project, endpoint, consent } = tag.dataset,
  queue: Stub['queue'] = [],
): unknown => {
  const tell = (): void => {
    try {
      if (
        endpoint &&
        spandrel === stub &&
        // Undefined, or granted.
        /^[ug]/.test(consent as string) &&
        !(navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl
      )
        navigator.sendBeacon(
          new URL(endpoint, location as never),
          JSON.stringify({ v: 1, project, lost: { 'script-failed': 1 } }),
        );
    } catch {
      // The address is none, or there are no beacons.
    }
    endpoint = '';
  };
  const stub: Stub & Record<string, unknown> = {
    queue,
    handleEvent(event) {
      // Of what nobody caught, and not of what did not load.
      if (event.cancelable) {
        // 20 are enough for whatever one fault makes of a page's first second.
        if (!queue[19]) queue.push(event as ErrorEvent);
      } else (event.target as HTMLElement).dataset?.['endpoint'] && tell();
    },
  };
  for (const type of ['error', 'unhandledrejection']) addEventListener(type, stub, true);
  const names = 'start,flush,recordException,setConsent,setUser,setAttributes,setFlag';
  for (const name of names.split(',') as EarlyCall[0][])
    stub[name] = (argument?: { consent?: string }, second?: unknown) =>
      new Promise((done) => {
        consent = /C/.test(name) ? (argument as string) : consent || argument?.consent;
        queue[99] || queue.push([name, argument, performance.now(), done, second]);
      });
  // Nobody waits longer for a file that will come.
  setTimeout(tell, 30_000);
  if (src) {
    // So that nothing of the document is asked, and with all attributes at once; its text counts no more.
    const script = new Range().createContextualFragment(tag.outerHTML).firstChild as HTMLScriptElement;
    script.src = src;
    script.nonce = tag.nonce;
    tag.after(script);
  }
  return stub;
};

const left: unknown =
  // Not the document's own, which may be an element of that name.
  spandrel || make(Reflect.get(Document.prototype, 'currentScript', document) as HTMLScriptElement);
export default left;
