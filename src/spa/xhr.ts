/**
 * A client span for each `XMLHttpRequest` of the page, from `send` to its end.
 *
 * Our own rather than `@opentelemetry/instrumentation-xml-http-request`: that one makes the span in `open`, where it
 * stays open for ever if nothing is sent, ends it 300 ms late, so that a page that leaves loses it (opentelemetry-js
 * issue 4683), adds `traceparent` to one that the page set, and is three times as large; `npm run bench instrumentation`
 * has the figures.
 */
import type { Stop } from '../platform/platform.js';
import { nameOf } from '../sdk/http-request.js';
import { pageRequests } from './http.js';
import type { PartDeps } from './part.js';
import { patch } from './patch.js';
import type { Propagation } from './propagation.js';

const FAILURES = ['error', 'abort', 'timeout'];
/** `readystatechange` comes before `load`, whose listeners may take their time; `load` is for pages that stop it. */
const ENDS = ['readystatechange', 'load', ...FAILURES];

export function traceXhr(deps: PartDeps, propagation: Propagation): Stop {
  const { guard } = deps;
  const begin = pageRequests(deps, propagation);
  const prototype = globalThis.XMLHttpRequest?.prototype;
  if (!prototype) return () => {};
  const { setRequestHeader } = prototype;
  /** What `open` was told, until it is sent. */
  const opened = new WeakMap<XMLHttpRequest, { method: string; url: string; names: string[] }>();
  /** What ends the span of the request that is under way. */
  const underWay = new WeakMap<XMLHttpRequest, (error?: string) => void>();

  /** The answer is there, and is no network error. */
  const isAnswered = ({ readyState, status }: XMLHttpRequest): boolean =>
    readyState === XMLHttpRequest.DONE && status > 0;

  const startSpan = (xhr: XMLHttpRequest): ((error?: string) => void) | undefined => {
    const told = opened.get(xhr);
    // What was not opened cannot be sent, and the page will be told.
    if (!told || xhr.readyState !== XMLHttpRequest.OPENED) return undefined;
    opened.delete(xhr);
    const request = begin(told.method, told.url);
    if (!request) return undefined;
    const end = (error?: string): void => {
      if (underWay.get(xhr) !== end) return;
      underWay.delete(xhr);
      for (const name of ENDS) xhr.removeEventListener(name, onEnd, true);
      request.end(xhr.status, error, xhr);
    };
    const onEnd = ({ type }: Event): void =>
      void guard(() => {
        if (isAnswered(xhr)) end();
        // Firefox fires `load` for a request even if its `readystatechange` began the next.
        else if (FAILURES.includes(type)) end(type);
      });
    underWay.set(xhr, end);
    // Capturing, to be in front of the page's listeners, though Chromium calls them as they come.
    for (const name of ENDS) xhr.addEventListener(name, onEnd, true);
    const { names } = told;
    for (const [name, value] of Object.entries(names.includes('traceparent') ? {} : request.headers)) {
      if (!names.includes(name.toLowerCase())) setRequestHeader.call(xhr, name, value);
    }
    return end;
  };

  const stops = [
    patch<XMLHttpRequest['open']>(prototype, 'open', (original, xhr: XMLHttpRequest, args) => {
      guard(() => {
        // `open` ends a request that is under way without any event.
        underWay.get(xhr)?.(isAnswered(xhr) ? undefined : 'abort');
        // As texts from here on: what an object says may be another the next time.
        for (const at of [0, 1] as const) if (at < args.length) args[at] = `${args[at]}`;
        opened.set(xhr, { method: args[0], url: String(args[1]), names: [] });
      });
      return Reflect.apply(original, xhr, args);
    }),
    patch<XMLHttpRequest['setRequestHeader']>(
      prototype,
      'setRequestHeader',
      (original, xhr: XMLHttpRequest, args) => {
        guard(() => {
          if (args.length) args[0] = `${args[0]}`;
          opened.get(xhr)?.names.push(String(args[0]).toLowerCase());
        });
        return Reflect.apply(original, xhr, args);
      },
    ),
    patch<XMLHttpRequest['send']>(prototype, 'send', (original, xhr: XMLHttpRequest, args) => {
      // Not with the span as the active one: listeners of the page are called within.
      const end = guard(() => startSpan(xhr));
      try {
        return Reflect.apply(original, xhr, args);
      } catch (error) {
        // A synchronous one tells its failure so, without an event.
        guard(() => end?.(nameOf(error)));
        throw error;
      }
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
