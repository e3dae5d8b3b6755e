import assert from 'node:assert/strict';
import { test } from 'node:test';
import { context, type Span, trace } from '@opentelemetry/api';
import { BasicTracerProvider, type ReadableSpan } from '@opentelemetry/sdk-trace-web';
import { testClock } from '../testing/clock.js';
import { testPlatform } from '../testing/platform.js';
import { createActivities } from './activity.js';
import { createContextManager } from './context-manager.js';
import { traceErrors } from './errors.js';

interface FakeEvent {
  error?: unknown;
  message?: string;
  reason?: unknown;
  timeStamp?: number;
}

/** A page with one part, the errors; `queue` is what a stub has kept. */
function errorsPage({ queue, listens = true }: { queue?: unknown[]; listens?: boolean } = {}) {
  const platform = testPlatform();
  const ended: ReadableSpan[] = [];
  const discarded: Span[] = [];
  const exceptions: unknown[] = [];
  const clock = testClock(platform.monotonic, 1_000_000);
  const provider = new BasicTracerProvider({
    spanProcessors: [
      {
        onStart: (span) => activities.processor.onStart(span),
        onEnd(span) {
          ended.push(span);
          activities.processor.onEnd(span);
        },
        forceFlush: async () => {},
        shutdown: async () => {},
      },
    ],
  });
  const tracer = provider.getTracer('test');
  const activities = createActivities({
    tracer,
    clock,
    platform,
    discard: (span) => void discarded.push(span),
  });
  const guard = <T>(task: () => T): T | undefined => {
    try {
      return task();
    } catch (error) {
      exceptions.push(error);
      return undefined;
    }
  };
  const heard: string[] = [];
  const stub = { queue, handleEvent: ({ type }: Event) => void heard.push(type) };
  const scope = Object.assign(new EventTarget(), {
    location: { href: 'https://shop.test/cart?token=t' },
    ...(queue && { spandrel: stub }),
  });
  if (queue) scope.addEventListener('error', stub, { capture: true });
  const part = {
    tracer,
    activities,
    clock,
    platform,
    guard,
    onPage: () => () => {},
    routeName: () => '/cart',
  };
  const errors = traceErrors(part, listens, scope as never);
  const fire = (type: string, fields: FakeEvent = {}): Event => {
    const event = Object.assign(new Event(type, { cancelable: true }), fields);
    scope.dispatchEvent(event);
    return event;
  };
  const throws = (error: unknown): Event => fire('error', { error, message: `Uncaught ${String(error)}` });
  return {
    ...errors,
    activities,
    clock,
    platform,
    tracer,
    ended,
    discarded,
    exceptions,
    heard,
    fire,
    throws,
  };
}

const messages = ({ events }: ReadableSpan): unknown[] =>
  events.map(({ name, attributes }) => `${name} ${attributes?.['exception.message']}`);

test('errors: the activity that is on gets the event and the status, and is kept if it was on trial', async () => {
  const { activities, platform, ended, discarded, throws, fire } = errorsPage();
  activities.begin({ kind: 'interaction', name: 'click buy', tentative: true });
  await platform.advance(10);
  assert.equal(throws(new TypeError('no')).defaultPrevented, false);
  await platform.advance(10);
  fire('unhandledrejection', { reason: new RangeError('promised') });
  await platform.advance(1_500);
  const [root] = ended as [ReadableSpan];
  assert.equal(ended.length, 1);
  assert.equal(discarded.length, 0);
  assert.deepEqual([root.name, root.status.code], ['click buy', 2]);
  assert.deepEqual(messages(root), ['exception no', 'exception promised']);
  assert.equal(root.events[0]?.attributes?.['spandrel.exception.handled'], false);
  assert.deepEqual(root.endTime, root.events[1]?.time, 'not over before its last error');
});

test('errors: the active span comes first; one that has ended does not', (t) => {
  const { activities, tracer, ended, throws } = errorsPage();
  context.setGlobalContextManager(createContextManager(() => activities));
  t.after(() => context.disable());
  const activity = activities.begin({ kind: 'load', name: 'load /' });
  const work = tracer.startSpan('work');
  context.with(trace.setSpan(context.active(), work), () => {
    throws(new Error('within'));
    work.end();
    throws(new Error('after'));
  });
  activities.stop();
  assert.deepEqual(ended.map(messages), [['exception within'], ['exception after']]);
  assert.equal((activity.root as Span & ReadableSpan).status.code, 2);
});

test('errors: with nothing on, a span of its own that says where', () => {
  const { ended, throws } = errorsPage();
  throws(new TypeError('alone'));
  const [span] = ended as [ReadableSpan];
  assert.equal(span.name, 'error TypeError');
  assert.equal(span.status.code, 2);
  assert.deepEqual(span.startTime, span.endTime);
  assert.equal(span.attributes['url.template'], '/cart');
  assert.doesNotMatch(String(span.attributes['browser.document.url.full']), /token=t/);
  assert.deepEqual(messages(span), ['exception alone']);
});

test('errors: one object is told once, be it caught first or thrown on', () => {
  const { ended, record, throws } = errorsPage();
  const error = new Error('once');
  record(error);
  throws(error);
  throws(error);
  assert.equal(ended.length, 1);
  assert.equal(ended[0]?.events[0]?.attributes?.['spandrel.exception.handled'], true);
});

test('errors: ten alike in an activity, a hundred a minute; the rest is counted', async () => {
  const { activities, platform, ended, throws } = errorsPage();
  const root = activities.begin({ kind: 'load', name: 'load /' }).root as Span & ReadableSpan;
  for (let index = 0; index < 15; index++) throws('alike');
  assert.equal(root.events.length, 10);
  assert.equal(root.attributes['spandrel.errors.suppressed'], 5);
  for (let index = 0; index < 95; index++) throws(`other ${index}`);
  assert.equal(root.events.length, 100);
  assert.equal(root.attributes['spandrel.errors.suppressed'], 10);
  activities.stop();

  throws('nobody to tell');
  assert.equal(ended.length, 1);
  await platform.advance(60_000);
  throws('next minute');
  assert.equal(ended[1]?.attributes['spandrel.errors.suppressed'], 1);

  // In another activity the same error is news.
  const next = activities.begin({ kind: 'load', name: 'load /' }).root as Span & ReadableSpan;
  throws('alike');
  assert.equal(next.events.length, 1);
});

test('errors: alike without an activity are told again in another minute', async () => {
  const { platform, ended, throws } = errorsPage();
  for (let index = 0; index < 11; index++) throws('alike');
  assert.equal(ended.length, 10);
  await platform.advance(60_000);
  throws('alike');
  assert.equal(ended.length, 11);
});

test('errors: an error that keeps coming does not keep an activity going', async () => {
  const { activities, platform, ended, throws } = errorsPage();
  activities.begin({ kind: 'load', name: 'load /' });
  for (let index = 0; index < 14; index++) {
    throws('each half second');
    await platform.advance(500);
  }
  assert.equal(ended[0]?.attributes['spandrel.activity.end'], 'quiet');
});

test('errors: what the stub kept is told at its time, and the stub hears no more', async () => {
  const early = (type: string, fields: object) => Object.assign(new Event(type), fields);
  const queue: unknown[] = [
    ['start', {}, 1, () => {}],
    ['recordException', new Error('caught'), 5_100, () => {}],
  ];
  const page = errorsPage({ queue, listens: true });
  assert.equal(queue.length, 0);
  assert.deepEqual(page.ended.map(messages), [['exception caught']]);
  assert.deepEqual(page.ended[0]?.startTime, [1_005, 100_000_000]);
  page.throws(new Error('later'));
  assert.deepEqual(page.heard, []);

  const rejection = early('unhandledrejection', { reason: 'r' });
  const off = errorsPage({ queue: [rejection, ['recordException', 'c', 5_100, () => {}]], listens: false });
  assert.deepEqual(off.ended.map(messages), [['exception c']]);
  const on = errorsPage({ queue: [rejection] });
  assert.deepEqual(on.ended.map(messages), [['exception r']]);
});

test('errors: what is no error of a script is not told', () => {
  const { ended, fire } = errorsPage();
  fire('error');
  fire('error', { message: 'ResizeObserver loop completed with undelivered notifications.' });
  assert.deepEqual(ended, []);
});

test('errors: a value whose getters throw, or throw at us again, is told once and harms nobody', () => {
  const { ended, exceptions, throws, record } = errorsPage();
  const hostile = {
    get message(): string {
      throws(new Error('from within'));
      throw new Error('getter');
    },
    toString(): string {
      throw new Error('toString');
    },
  };
  record(hostile as never);
  record(null as never);
  assert.deepEqual(
    ended.map(({ name }) => name),
    ['error object', 'error null'],
  );
  assert.deepEqual(exceptions, []);
});

test('errors: stopped, or turned off, it does not listen; what is caught is told all the same', () => {
  const stopped = errorsPage();
  stopped.stop();
  stopped.throws(new Error('unheard'));
  const off = errorsPage({ listens: false });
  off.throws(new Error('unheard'));
  off.record(new Error('told'));
  assert.deepEqual([stopped.ended.length, off.ended.length], [0, 1]);
});
