/**
 * Uncaught errors and unhandled rejections, as exception events with their span's status set to error.
 *
 * The event is on the active span; else on the root of the activity that is on; else on a span of its own,
 * `error {Type}`, which belongs to the activity's trace where there was one. Nothing is kept from the page's own
 * listeners.
 */
import {
  type Attributes,
  type Context,
  context,
  ROOT_CONTEXT,
  type Span,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { Stub } from '../early.js';
import { ownGlobal } from '../platform/dom.js';
import { listen } from '../platform/listen.js';
import type { Stop } from '../platform/platform.js';
import type { Activity } from './activity.js';
import { documentAttributes } from './attributes.js';
import type { PartDeps } from './part.js';
import { exceptionAttributes, type Whereabouts } from './thrown.js';

/** Where exceptions go that somebody has caught: a framework's error boundary, say. */
export type RecordException = (error: unknown) => void;

/** What more there are tell nothing new, and cost the page that is in trouble already. */
const MAX_A_MINUTE = 100;
const MINUTE_MILLIS = 60_000;
/** Of the same error (type, message, top frame) in one activity: a listener that fails with every move of the mouse. */
const MAX_ALIKE = 10;

/** Browsers' own advice to developers, which no code of the page has thrown. */
const ADVICE = /^ResizeObserver loop/;

const TYPES = ['error', 'unhandledrejection'] as const;
/** As the stub listens. */
const CAPTURING = { capture: true };

/** Listens for what nobody caught, when `listens`; gives the function for the rest. */
export function traceErrors(
  { tracer, activities, clock, guard, routeName }: PartDeps,
  listens: boolean,
  scope: typeof globalThis = globalThis,
): { record: RecordException; stop: Stop } {
  /** Objects that were told already: thrown again, or caught and recorded first. */
  const known = new WeakSet<object>();
  let alike = new Map<string, number>();
  let alikeIn: Activity | undefined;
  let minute = 0;
  let inMinute = 0;
  /** Not told, and no span to say so on yet. */
  let untold = 0;
  let busy = false;

  /** Counts one more. @returns whether it is to be told. */
  const admit = (activity: Activity | undefined, attributes: Attributes): boolean => {
    const now = Math.floor(clock.now() / MINUTE_MILLIS);
    const isNewMinute = now !== minute;
    if (isNewMinute) [minute, inMinute] = [now, 0];
    if (activity !== alikeIn || (isNewMinute && !activity)) [alikeIn, alike] = [activity, new Map()];
    const {
      'exception.type': type,
      'exception.message': message,
      'exception.stacktrace': stack,
    } = attributes;
    const frame = /^.*:\d+:\d+/m.exec(String(stack))?.[0];
    const key = [type, message, frame].join();
    const count = (alike.get(key) ?? 0) + 1;
    if (count > MAX_ALIKE || inMinute >= MAX_A_MINUTE) return false;
    alike.set(key, count);
    inMinute++;
    return true;
  };

  const tell = (span: Span, attributes: Attributes, at: number, isTold: boolean): void => {
    span.setStatus({ code: SpanStatusCode.ERROR, message: String(attributes['exception.message']) });
    if (isTold) span.addEvent('exception', attributes, clock.wall(at));
    else untold++;
    if (!untold) return;
    const { 'spandrel.errors.suppressed': before = 0 } =
      (span as { attributes?: Attributes }).attributes ?? {};
    span.setAttribute('spandrel.errors.suppressed', Number(before) + untold);
    untold = 0;
  };

  /**
   * @param handled whether somebody caught it.
   * @param at when, if that is past: a moment of the page's clock.
   */
  const record = (value: unknown, where: Whereabouts, handled: boolean, at?: number): void => {
    // The value's own getters may throw or report anything, us included.
    if (busy) return;
    if ((typeof value === 'object' && value) || typeof value === 'function') {
      if (known.has(value)) return;
      known.add(value);
    }
    busy = true;
    try {
      const activity = at === undefined ? activities.current : activities.at(at);
      const active: Context = at === undefined ? context.active() : (activity?.context ?? ROOT_CONTEXT);
      const attributes: Attributes = {
        ...exceptionAttributes(value, where),
        'spandrel.exception.handled': handled,
      };
      const isTold = admit(activity, attributes);
      const span = [trace.getSpan(active), activity?.root].find((one) => one?.isRecording());
      const moment = at ?? clock.now();
      if (span) {
        tell(span, attributes, moment, isTold);
        // What was begun on trial has led to something; and it is not over before this.
        if (isTold && span === activity?.root) activity.hold()();
      } else if (isTold) {
        const { href } = scope.location;
        const own = tracer.startSpan(
          `error ${attributes['exception.type']}`,
          {
            startTime: clock.wall(moment),
            attributes: documentAttributes(href, routeName(href)),
          },
          active,
        );
        tell(own, attributes, moment, true);
        own.end(clock.wall(moment));
      } else untold++;
    } finally {
      busy = false;
    }
  };

  const hear = (event: Event, at?: number): void => {
    if (event.type === 'unhandledrejection') record((event as PromiseRejectionEvent).reason, {}, false, at);
    else if (event.target === scope && 'message' in event) {
      const { error, message } = event as ErrorEvent;
      if (!ADVICE.test(message)) record(error, event as ErrorEvent, false, at);
    }
  };
  const onEvent = (event: Event): void => void guard(() => hear(event));
  const stops = listens ? TYPES.map((type) => listen(scope, type, onEvent)) : [];

  guard(() => {
    const spandrel = ownGlobal<Partial<Stub> & { early?: Partial<Stub> }>('spandrel', scope);
    const stub = (spandrel?.early ?? spandrel) as Stub | undefined;
    if (!Array.isArray(stub?.queue)) return;
    for (const type of TYPES) scope.removeEventListener(type, stub, CAPTURING);
    for (const entry of stub.queue.splice(0)) {
      guard(() => {
        if (!Array.isArray(entry)) listens && hear(entry, entry.timeStamp);
        else if (entry[0] === 'recordException') record(entry[1], {}, true, entry[2]);
      });
    }
  });

  return {
    record: (error) => record(error, {}, true),
    stop() {
      for (const stop of stops) stop();
    },
  };
}
